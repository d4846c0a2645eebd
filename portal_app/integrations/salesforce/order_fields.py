"""What was chosen beyond the plan, as fields of a Salesforce order."""

from datetime import date, datetime, time
from typing import Any

from portal_app.domain.checkout.options import InternetOptions, Options, SimOptions, SimType
from portal_app.domain.sim.sim import Person, PortIn, SimPlanKind
from portal_app.language.format import JAPAN

SIM_TYPES: dict[SimType, str] = {"physical": "Physical SIM", "esim": "eSIM"}
# SIM_Plan_Type__c of a product.
SIM_PLAN_KINDS: dict[str, SimPlanKind] = {"DataSmsVoice": "voice", "DataOnly": "data", "DataSms": "sms"}
_ACCESS_MODES = {
    "ipoe_own_router": "IPoE own router",
    "ipoe_home_gateway": "IPoE home gateway",
    "pppoe": "PPPoE",
}
_INSTALLATIONS = {"single": "Single payment", "12m": "12 payments", "24m": "24 payments"}
_GENDERS = {"F": "Female", "M": "Male"}


def options_of(options: Options) -> dict[str, Any]:
    """Return the order's fields; a VPN's region stands on its product."""
    if isinstance(options, SimOptions):
        return _sim(options)
    return _internet(options) if isinstance(options, InternetOptions) else {}


def _internet(options: InternetOptions) -> dict[str, Any]:
    return {
        "Internet_Plan_Tier__c": options.tier or None,
        "Access_Mode__c": _ACCESS_MODES[options.access_mode],
        "Installation_Type__c": _INSTALLATIONS[options.installation],
        "Weekend_Install__c": options.weekend,
        "Hikari_Denwa__c": options.home_phone,
        "Switch_Number__c": options.switch_number or None,
    }


def _sim(options: SimOptions) -> dict[str, Any]:
    fields = {
        "SIM_Type__c": SIM_TYPES[options.sim_type],
        "EID__c": options.eid or None,
        "SIM_Voice_Mail__c": options.voice_mail,
        "SIM_Call_Waiting__c": options.call_waiting,
        "Activation_Type__c": "Scheduled" if options.activate_on else "Immediate",
        "Activation_Scheduled_At__c": _midnight(options.activate_on) if options.activate_on else None,
        "MNP_Application__c": options.port_in is not None,
    }
    # An agent compares the holder of every voice line with the identity document, whether a number comes along or not.
    fields |= _person(options.holder) if options.holder else {}
    return fields | (_ported(options.number, options.port_in) if options.port_in else {})


def _ported(number: str, port_in: PortIn) -> dict[str, Any]:
    return _person(port_in.person) | {
        "MNP_Phone_Number__c": number,
        "MNP_Reservation_Number__c": port_in.reservation_number,
        "MNP_Expiry_Date__c": port_in.expires_on.isoformat(),
    }


def _person(person: Person) -> dict[str, Any]:
    return {
        "Porting_LastName__c": person.last_name,
        "Porting_FirstName__c": person.first_name,
        "Porting_LastName_Katakana__c": person.last_name_kana,
        "Porting_FirstName_Katakana__c": person.first_name_kana,
        "Porting_Gender__c": _GENDERS[person.gender],
        "Porting_DateOfBirth__c": person.birth_date.isoformat(),
    }


def _midnight(day: date) -> str:
    """Return the beginning of a day in Japan."""
    return datetime.combine(day, time(), JAPAN).isoformat()
