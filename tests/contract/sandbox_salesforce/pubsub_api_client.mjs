// What a Node program does with salesforce-pubsub-api-client: log in by JWT, publish, subscribe, resume. One JSON line.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const module = `${process.env.NODE_HOME}/node_modules/salesforce-pubsub-api-client/dist/client.js`;
const { default: PubSubApiClient } = await import(pathToFileURL(module));
const { URL: loginUrl, PUBSUB, CLIENT_ID, USERNAME, KEY_FILE, TOPIC, CHANGES, MANAGED } = process.env;
const quiet = { debug() {}, info() {}, warn() {}, error: console.error };

async function connected() {
  const client = new PubSubApiClient({
    authType: "oauth-jwt-bearer", loginUrl, clientId: CLIENT_ID, username: USERNAME,
    privateKey: readFileSync(KEY_FILE).toString(), pubSubEndpoint: PUBSUB, rejectUnauthorizedSsl: false,
  }, quiet);
  await client.connect();
  return client;
}

// One client for each subscription: within one, a second subscription to a topic joins the first.
async function take(count, start) {
  const client = await connected();
  const events = [];
  await new Promise((resolve, reject) => {
    start(client, (_subscription, type, data) => {
      if (type === "event" && events.push(data) === count) resolve();
      if (type === "error") reject(data);
    });
  });
  client.close();
  return events;
}

const found = {};
const fields = { CreatedDate: Date.now(), CreatedById: "005xx000001SwiUAAS", OrderId__c: { string: "801" }, Version__c: { double: 1 } };
const blank = { IdemKey__c: null, CorrelationId__c: null, RequestedBy__c: null };
const waiting = take(2, (client, receive) => client.subscribeFromEarliestEvent(TOPIC, receive, 2));
const published = [];
const publisher = await connected();
for (const order of ["801", "802"]) {
  published.push(await publisher.publish(TOPIC, { ...fields, ...blank, OrderId__c: { string: order } }));
}
found.published = published.every((each) => Number.isInteger(each.replayId));
const [first] = await waiting;
found.received = [first.payload.OrderId__c, first.payload.Version__c];
const [second] = await take(1, (client, receive) => client.subscribeFromReplayId(TOPIC, receive, 1, first.replayId));
found.resumed = second.payload.OrderId__c;
const [change] = await take(1, (client, receive) => client.subscribeFromEarliestEvent(CHANGES, receive, 1));
found.change = [change.payload.ChangeEventHeader.changeType, change.payload.ChangeEventHeader.entityName];
const changes = await take(2, (client, receive) => client.subscribeFromEarliestEvent(CHANGES, receive, 2));
found.changedFields = changes[1].payload.ChangeEventHeader.changedFields;
const [managed] = await take(1, (client, receive) => client.subscribeWithManagedSubscription(MANAGED, receive, 1));
found.managed = managed.payload.OrderId__c;
console.log(JSON.stringify(found));
process.exit(0);
