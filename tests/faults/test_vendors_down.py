"""A vendor is down: what the customer did is kept, shown as received, and carried out once it is back."""

from portal_app.infra.settings import Settings
from tests.support.clients.portal_driver import PortalDriver, new_email
from tests.support.running.processes import Processes
from tests.support.waiting import until


async def test_order_is_received_once_and_handed_over_when_both_vendors_are_back(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    (worker,) = processes.start_all("worker", settings=settings)
    buyer = await driver.buyer()
    await driver.web.catalog.plans("vpn")
    await driver.web.billing.payment_methods.payment_methods_for(buyer.customer)
    await driver.set_faults("whmcs", down=True)
    await driver.set_faults("salesforce", down=True)
    order = await driver.place(buyer, key="one-key-for-both")
    assert (await driver.place(buyer, key="one-key-for-both")).id == order.id
    worker.wait_until_it_says("step=hand_over")
    assert await driver.stage(order) == "received"
    await driver.all_well()
    await driver.wait_for_stage(order, "in_review")
    assert len(await driver.reviews_of(order)) == 1


async def test_sign_up_finishes_with_all_that_was_typed_when_vendors_are_back(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    (worker,) = processes.start_all("worker", settings=settings)
    email = new_email()
    await driver.set_faults("whmcs", down=True)
    user = await driver.sign_up(email)
    worker.wait_until_it_says("step=create_billing_client")
    await driver.set_faults("salesforce", down=True)
    await driver.set_faults("whmcs")
    worker.wait_until_it_says("step=create_crm_customer")
    assert await driver.value("SELECT status FROM users WHERE id = %s", user) == "waiting"
    await driver.all_well()
    await driver.wait_for_user(user, "active")
    await driver.expect_set_up_once(user, email)
    (client,) = await driver.clients_of(email)
    assert (client["phonenumber"], client["postcode"]) == ("09012345678", "106-0044")


async def test_order_becomes_active_while_mail_is_down_and_each_mail_arrives_once_later(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    _, worker = processes.start_all("listener", "worker", settings=settings)
    await driver.set_faults("mail", down=True)
    bought = await driver.reviewed_orders(1)
    ((buyer, order),) = bought
    await driver.approve(order)
    await driver.expect_all_active_once(bought)
    worker.wait_until_it_says("step=send")
    assert await driver.mails_to(buyer.email) == []
    await driver.set_faults("mail")
    query = "SELECT count(*) FROM mails WHERE user_id = %s AND sent_at IS NULL"
    await until(lambda: driver.value(query, buyer.customer.user_id), "all mails are sent", equals=0)
    subjects = sorted(row["subject"] for row in await driver.mails_to(buyer.email))
    assert len(subjects) == len(set(subjects)) == 2, subjects
