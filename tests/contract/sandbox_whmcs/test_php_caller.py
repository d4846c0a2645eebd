"""PHP itself as a caller of the sandbox: its own form encoding, its own serialize, its own JSON."""

import asyncio
import json

from tests.support.foreign_programs import need

SCRIPT = """
[$url, $keys, $client] = json_decode($argv[1], true);
$call = function ($action, $fields = [], $other = []) use ($url, $keys) {
    $form = http_build_query($other + $fields + $keys + ['action' => $action, 'responsetype' => 'json']);
    $head = 'Content-Type: application/x-www-form-urlencoded';
    $post = ['method' => 'POST', 'header' => $head, 'content' => $form, 'ignore_errors' => true];
    return json_decode(file_get_contents($url, false, stream_context_create(['http' => $post])), true);
};
$field = $call('GetProducts', ['pid' => 33])['products']['product'][0]['customfields']['customfield'][0]['id'];
$answers['ordered'] = $call('AddOrder', [
    'clientid' => $client, 'paymentmethod' => 'stripe', 'pid' => [33], 'billingcycle' => ['monthly'],
    'customfields' => [base64_encode(serialize([$field => 'Zürich + 1']))], 'noemail' => true,
]);
$answers['service'] = $call('GetClientsProducts', ['clientid' => $client])['products']['product'][0];
$answers['changed'] = $call('UpdateClient', ['clientid' => $client, 'email_preferences' => ['invoice' => true]]);
$answers['wrong'] = $call('GetClients', [], ['secret' => 'wrong']);
echo json_encode($answers);
"""


async def test_php_orders_with_a_custom_field_and_reads_it_back(whmcs):
    php = need("php", get="install PHP's command line")
    keys = {"identifier": whmcs.settings["WHMCS_API_IDENTIFIER"], "secret": whmcs.settings["WHMCS_API_SECRET"]}
    client = await whmcs.new_client()

    given = json.dumps([whmcs.settings["WHMCS_API_URL"], keys, client])
    process = await asyncio.create_subprocess_exec(php, "-r", SCRIPT, given, stdout=asyncio.subprocess.PIPE)
    answers = json.loads((await asyncio.wait_for(process.communicate(), 60))[0])

    assert answers["ordered"]["result"] == "success" and answers["ordered"]["serviceids"] == answers["service"]["id"]
    assert answers["service"]["customfields"]["customfield"][0]["value"] == "Zürich + 1"
    assert answers["changed"]["result"] == "success"
    assert answers["wrong"]["message"] == "Invalid or missing credentials"
