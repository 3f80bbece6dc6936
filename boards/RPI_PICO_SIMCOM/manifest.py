# ruff: noqa: F821
freeze("$(PORT_DIR)/modules")
include("$(MPY_DIR)/extmod/asyncio")
module("ssl.py", opt=3)
package("simcom", base_path="../../build/lib-sources", opt=3)
