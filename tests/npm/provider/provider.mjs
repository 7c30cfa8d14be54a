// npm's oidc-provider, in memory and without a log, to be measured beside ours (tests/bench/openid.py). Whoever it asks to sign in
// is believed by name, and nobody is asked for consent: POST /interaction/UID/login?account=NAME.
// usage: provider.mjs PORT CLIENT SECRET REDIRECT
import crypto from "node:crypto";
import http from "node:http";
import Provider from "oidc-provider";

const [port, client_id, client_secret, redirect] = process.argv.slice(2);
const { privateKey } = crypto.generateKeyPairSync("rsa", { modulusLength: 2048 });

// As its own, which keeps no more than a thousand things, less than are asked for here.
class Kept {
  static all = new Map();
  static uids = new Map();

  constructor(model) { this.model = model; }
  key(id) { return `${this.model}:${id}`; }
  async find(id) { return Kept.all.get(this.key(id)); }
  async findByUid(uid) { return this.find(Kept.uids.get(uid)); }
  async consume(id) { (await this.find(id)).consumed = Math.floor(Date.now() / 1000); }
  async destroy(id) { Kept.all.delete(this.key(id)); }
  async revokeByGrantId() {}
  async upsert(id, payload) {
    if (this.model === "Session") Kept.uids.set(payload.uid, id);
    Kept.all.set(this.key(id), payload);
  }
}

const provider = new Provider(`http://localhost:${port}`, {
  adapter: Kept,
  clients: [{ client_id, client_secret, redirect_uris: [redirect], response_types: ["code"], grant_types: ["authorization_code"],
    token_endpoint_auth_method: "client_secret_post" }],
  jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256", kid: "only" }] },
  cookies: { keys: [crypto.randomBytes(32).toString("hex")] },
  claims: { openid: ["sub"], email: ["email", "email_verified"] },
  conformIdTokenClaims: false, // in the ID token too, as ours are
  findAccount: (context, id) => ({ accountId: id, claims: () => ({ sub: id, email: id, email_verified: true }) }),
  features: { devInteractions: { enabled: false } },
  interactions: { url: (context, interaction) => `/interaction/${interaction.uid}` },
  ttl: { AuthorizationCode: 600, AccessToken: 3600, IdToken: 3600, Session: 3600, Grant: 3600, Interaction: 3600 },
  async loadExistingGrant({ oidc }) {
    const known = oidc.session.grantIdFor(oidc.client.clientId);
    if (known) return oidc.provider.Grant.find(known);
    const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
    grant.addOIDCScope("openid email");
    await grant.save();
    return grant;
  },
});

const answer = provider.callback();
http.createServer((request, response) => {
  const url = new URL(request.url, "http://localhost");
  if (!url.pathname.startsWith("/interaction/")) return answer(request, response);
  return provider.interactionFinished(request, response, { login: { accountId: url.searchParams.get("account") } });
}).listen(port, "127.0.0.1", () => console.log("ready"));
