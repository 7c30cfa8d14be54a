// An application by one of the libraries that Node has: prints where the browser is to go, reads from standard input where it came
// back to, and prints what was found out. usage: sign_in.mjs LIBRARY ISSUER ID SECRET REDIRECT ALGORITHM METHOD
import readline from "node:readline";

const [library, issuer, id, secret, redirect, algorithm, method] = process.argv.slice(2);
const scope = "openid email offline_access";
const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (value) => console.log(JSON.stringify(value));
const come = async (url) => {
  say({ url: String(url) });
  return new URL((await lines.next()).value);
};

// 6: refuses an answer without the right `iss`.
async function openidClient() {
  const client = await import("openid-client");
  const authentication = { basic: client.ClientSecretBasic, post: client.ClientSecretPost, none: client.None }[method](secret);
  const config = await client.discovery(new URL(issuer), id, { id_token_signed_response_alg: algorithm }, authentication, {
    execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks],
  });
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const expectedState = client.randomState();
  const expectedNonce = client.randomNonce();
  const back = await come(client.buildAuthorizationUrl(config, {
    redirect_uri: redirect, scope, state: expectedState, nonce: expectedNonce,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: "S256",
  }));
  const tokens = await client.authorizationCodeGrant(config, back, { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true });
  const claims = tokens.claims();
  const user = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
  const asked = method === "none" ? { active: true } : await client.tokenIntrospection(config, refreshed.access_token);
  const out = client.buildEndSessionUrl(config, { id_token_hint: refreshed.id_token });
  return { claims, user, active: asked.active, out: String(out) };
}

// 5: what next-auth 4 is made of. Verifies every signature.
async function openidClient5() {
  const { Issuer, generators } = (await import("openid-client-5")).default;
  const provider = await Issuer.discover(issuer);
  const client = new provider.Client({
    client_id: id, client_secret: secret, redirect_uris: [redirect], id_token_signed_response_alg: algorithm,
    token_endpoint_auth_method: { basic: "client_secret_basic", post: "client_secret_post", none: "none" }[method],
  });
  const code_verifier = generators.codeVerifier();
  const state = generators.state();
  const nonce = generators.nonce();
  const back = await come(client.authorizationUrl({
    scope, state, nonce, code_challenge: generators.codeChallenge(code_verifier), code_challenge_method: "S256",
  }));
  const tokens = await client.callback(redirect, client.callbackParams(back.href), { code_verifier, state, nonce });
  const claims = tokens.claims();
  const user = await client.userinfo(tokens);
  const refreshed = await client.refresh(tokens);
  const asked = method === "none" ? { active: true } : await client.introspect(refreshed.access_token);
  return { claims, user, active: asked.active, out: client.endSessionUrl({ id_token_hint: refreshed.id_token }) };
}

async function oauth4webapi() {
  const oauth = await import("oauth4webapi");
  const insecure = { [oauth.allowInsecureRequests]: true };
  const server = await oauth.processDiscoveryResponse(new URL(issuer), await oauth.discoveryRequest(new URL(issuer), insecure));
  const client = { client_id: id, id_token_signed_response_alg: algorithm };
  const authentication = { basic: oauth.ClientSecretBasic, post: oauth.ClientSecretPost, none: oauth.None }[method](secret);
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const nonce = oauth.generateRandomNonce();
  const url = new URL(server.authorization_endpoint);
  Object.entries({
    client_id: id, redirect_uri: redirect, response_type: "code", scope, state, nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
  }).forEach(([name, value]) => url.searchParams.set(name, value));
  const parameters = oauth.validateAuthResponse(server, client, await come(url), state);
  const answer = await oauth.authorizationCodeGrantRequest(server, client, authentication, parameters, redirect, verifier, insecure);
  const result = await oauth.processAuthorizationCodeResponse(server, client, answer, { expectedNonce: nonce, requireIdToken: true });
  await oauth.validateApplicationLevelSignature(server, answer, insecure);
  const claims = oauth.getValidatedIdTokenClaims(result);
  const user = await oauth.processUserInfoResponse(server, client, claims.sub,
    await oauth.userInfoRequest(server, client, result.access_token, insecure));
  const refreshed = await oauth.processRefreshTokenResponse(server, client,
    await oauth.refreshTokenGrantRequest(server, client, authentication, result.refresh_token, insecure));
  const asked = method === "none" ? { active: true } : await oauth.processIntrospectionResponse(server, client,
    await oauth.introspectionRequest(server, client, authentication, refreshed.access_token, insecure));
  return { claims, user, active: asked.active, out: `${server.end_session_endpoint}?id_token_hint=${refreshed.id_token}` };
}

say(await { "openid-client": openidClient, "openid-client-5": openidClient5, oauth4webapi }[library]());
process.exit(0);
