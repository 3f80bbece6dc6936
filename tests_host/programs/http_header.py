"""Sends a header with characters beyond ASCII."""

import online  # noqa: F401
import requests

response = requests.get("http://www.example/greeting", headers={"X-Name": "Grüße"})
print(response.status_code)
