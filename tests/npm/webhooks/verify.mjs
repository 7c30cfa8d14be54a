// Reads {secret, headers, body} and prints what the verifier of Standard Webhooks makes of it; throws for what it refuses.
import { readFileSync } from "node:fs";
import { Webhook } from "standardwebhooks";

const { secret, headers, body } = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(new Webhook(secret).verify(body, headers)));
