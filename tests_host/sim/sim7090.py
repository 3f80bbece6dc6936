"""SIM7090: SIM7080 by another name."""

from .sim7080 import Module as Sim7080


class Module(Sim7080):
    """The SIM7090 profile."""

    family = "sim7090"
    identity = dict(
        Sim7080.identity,
        I="SIM7090 R1951",
        CGMM="SIMCOM_SIM7090",
        GMM="SIMCOM_SIM7090",
        CGMR="Revision:1951B17SIM7090",
        GMR="Revision:1951B17SIM7090",
        CGSN="860016040000090",
        GSN="860016040000090",
        CCID="89860000000000000090",
        CIMI="001010000000090",
    )
