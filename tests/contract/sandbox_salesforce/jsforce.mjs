// What a Node program does with jsforce: log in, write, read, page, describe, and be refused. Prints one JSON line.
import { createRequire } from "node:module";

const require = createRequire(`${process.env.NODE_HOME}/`);
const jsforce = require("jsforce");
const { URL: instanceUrl, ASSERTION, VERSION } = process.env;
const found = {};

const conn = new jsforce.Connection({ loginUrl: instanceUrl, instanceUrl, version: VERSION });
await conn.authorize({ grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion: ASSERTION });
found.identity = (await conn.request("/services/oauth2/userinfo")).preferred_username;

const account = await conn.sobject("Account").create({ Name: "Sato", SF_Account_No__c: "C1" });
found.upserted = await conn.sobject("Account").upsert({ SF_Account_No__c: "C1", Name: "O'Brien" }, "SF_Account_No__c");
found.many = await conn.sobject("Contact").create(
  [1, 2, 3].map((n) => ({ LastName: `N${n}`, AccountId: account.id })),
  { allOrNone: true },
);
found.record = await conn.sobject("Account").retrieve(account.id);
await conn.sobject("Contact").update({ Id: found.many[0].id, Email: "a@example.jp" });
found.destroyed = await conn.sobject("Contact").destroy(found.many[2].id);

found.finder = await conn.sobject("Contact").find({ AccountId: account.id }, "Id, LastName, Account.Name").sort("LastName");
found.children = await conn.query("SELECT Id, (SELECT LastName FROM Contacts ORDER BY LastName) FROM Account");
found.count = (await conn.query("SELECT COUNT() FROM Contact")).totalSize;
found.scanned = (await conn.query("SELECT Id FROM Contact", { scanAll: true })).totalSize;
const paged = await conn.query("SELECT Name FROM Product2 ORDER BY Name", { autoFetch: true, maxFetch: 1000 });
found.paged = paged.records.length;

const graph = await conn.requestPost(`/services/data/v${VERSION}/composite/graph`, {
  graphs: [{ graphId: "g1", compositeRequest: [{
    method: "POST", url: `/services/data/v${VERSION}/sobjects/Account`, referenceId: "a", body: { Name: "Graph" },
  }] }],
});
found.graph = graph.graphs[0].isSuccessful;
const tree = await conn.requestPost(`/services/data/v${VERSION}/composite/tree/Account`, {
  records: [{ attributes: { type: "Account", referenceId: "r1" }, Name: "Tree",
    Contacts: { records: [{ attributes: { type: "Contact", referenceId: "r2" }, LastName: "Leaf" }] } }],
});
found.tree = tree.hasErrors === false && tree.results.length;

const version = await conn.sobject("ContentVersion").create({
  Title: "Note", PathOnClient: "note.txt", VersionData: Buffer.from("hello").toString("base64"),
  FirstPublishLocationId: account.id,
});
let text = "";
for await (const chunk of conn.sobject("ContentVersion").record(version.id).blob("VersionData")) text += chunk;
found.file = text;

found.described = (await conn.sobject("Order").describe()).fields.filter((f) => f.externalId).map((f) => f.name);
found.global = (await conn.describeGlobal()).sobjects.map((each) => each.name);
found.limits = (await conn.limits()).DailyApiRequests;
found.usage = conn.limitInfo.apiUsage;

found.refusals = [];
for (const call of [
  () => conn.sobject("Contact").create({ FirstName: "only" }),
  () => conn.query("SELECT Nope FROM Account"),
  () => conn.sobject("Account").retrieve("001xx0000000000AAA"),
]) await call().catch((error) => found.refusals.push(error.errorCode));
console.log(JSON.stringify(found));
process.exit(0);
