// Applications by libraries of Node, each as its documentation has it, on ports of this machine: /login signs in, /me says who it is,
// /refresh gets new tokens, /logout signs out here and at the provider. Reads {issuer, applications: {NAME: {url, id, secret}}} from
// standard input and says "ready".
import fs from "node:fs";
import { createRequire } from "node:module";
import express from "express";

const require = createRequire(import.meta.url);
const { issuer, applications } = JSON.parse(fs.readFileSync(0, "utf8"));
const scope = "openid email offline_access";
const secret = "of this application's own cookies";
const metadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();

const cookiesOf = (request) => Object.fromEntries((request.headers.cookie ?? "").split("; ").filter(Boolean)
  .map((pair) => [pair.slice(0, pair.indexOf("=")), decodeURIComponent(pair.slice(pair.indexOf("=") + 1))]));
const endOfSession = (hint, back) =>
  `${metadata.end_session_endpoint}?${new URLSearchParams({ id_token_hint: hint, post_logout_redirect_uri: back })}`;
// What Auth.js keeps in its cookie: the tokens are the application's business.
const kept = ({ token, account, profile }) => (account ? { sub: profile.sub, email: profile.email, tokens: account } : token);
async function refreshed({ id, secret: password }, refreshToken) {
  const form = { grant_type: "refresh_token", refresh_token: refreshToken, client_id: id, client_secret: password };
  return (await fetch(metadata.token_endpoint, { method: "POST", body: new URLSearchParams(form) })).json();
}

const makers = {
  "next-auth"(app, { url, id, secret: clientSecret }) {
    process.env.NEXTAUTH_URL = url;
    const NextAuth = require("next-auth").default;
    const { getToken } = require("next-auth/jwt");
    const options = {
      secret,
      providers: [{
        id: "otpgate", name: "otpgate", type: "oauth", wellKnown: `${issuer}/.well-known/openid-configuration`,
        authorization: { params: { scope } }, idToken: true, checks: ["pkce", "state", "nonce"], clientId: id, clientSecret,
        profile: (profile) => ({ id: profile.sub, email: profile.email }),
      }],
      callbacks: { jwt: kept },
    };
    // In Next.js the framework makes these of the file's name and the request.
    app.all("/api/auth/*rest", express.urlencoded({ extended: false }), (request, response) => {
      const query = { ...request.query, nextauth: request.params.rest };
      Object.defineProperty(request, "query", { value: query });
      request.cookies = cookiesOf(request);
      return NextAuth(request, response, options);
    });
    const token = (request) => getToken({ req: Object.assign(request, { cookies: cookiesOf(request) }), secret });
    app.get("/login", (request, response) => response.redirect(`/api/auth/signin?callbackUrl=${encodeURIComponent(`${url}/`)}`));
    app.get("/me", async (request, response) => response.json(await token(request)));
    app.get("/refresh", async (request, response) =>
      response.json(await refreshed(applications["next-auth"], (await token(request)).tokens.refresh_token)));
    app.get("/logout", async (request, response) => {
      const { tokens } = await token(request);
      response.clearCookie("next-auth.session-token").redirect(endOfSession(tokens.id_token, `${url}/`));
    });
  },

  async "auth-core"(app, { url, id, secret: clientSecret }) {
    const { Auth } = await import("@auth/core");
    const { getToken } = await import("@auth/core/jwt");
    const config = {
      secret, trustHost: true, basePath: "/auth", callbacks: { jwt: kept },
      providers: [{ id: "otpgate", name: "otpgate", type: "oidc", issuer, clientId: id, clientSecret, authorization: { params: { scope } } }],
    };
    const asFetched = (request) => new Request(`${url}${request.originalUrl}`, {
      method: request.method, headers: request.headers, body: request.method === "POST" ? request.body : undefined });
    app.all("/auth/*rest", express.text({ type: "*/*" }), async (request, response) => {
      const answer = await Auth(asFetched(request), config);
      answer.headers.forEach((value, name) => name !== "set-cookie" && response.setHeader(name, value));
      response.setHeader("Set-Cookie", answer.headers.getSetCookie());
      response.status(answer.status).send(await answer.text());
    });
    const token = (request) => getToken({ req: asFetched(request), secret });
    app.get("/login", (request, response) => response.redirect(`/auth/signin?callbackUrl=${encodeURIComponent(`${url}/`)}`));
    app.get("/me", async (request, response) => response.json(await token(request)));
    app.get("/refresh", async (request, response) =>
      response.json(await refreshed(applications["auth-core"], (await token(request)).tokens.refresh_token)));
    app.get("/logout", async (request, response) => {
      const { tokens } = await token(request);
      response.clearCookie("authjs.session-token").redirect(endOfSession(tokens.id_token, `${url}/`));
    });
  },

  "passport-openidconnect"(app, { url, id, secret: clientSecret }) {
    const { Passport } = require("passport");
    const { Strategy } = require("passport-openidconnect");
    const passport = new Passport();
    const strategy = new Strategy({
      issuer, authorizationURL: metadata.authorization_endpoint, tokenURL: metadata.token_endpoint, userInfoURL: metadata.userinfo_endpoint,
      clientID: id, clientSecret, callbackURL: `${url}/callback`, scope: ["email", "offline_access"], nonce: true,
    }, (iss, profile, context, idToken, accessToken, refreshToken, done) =>
      done(null, { sub: profile.id, email: profile.emails[0].value, idToken, refreshToken }));
    passport.use(strategy);
    passport.serializeUser((user, done) => done(null, user));
    passport.deserializeUser((user, done) => done(null, user));
    app.use(require("express-session")({ secret, resave: false, saveUninitialized: false }), passport.session());
    app.get("/login", passport.authenticate("openidconnect"));
    app.get("/callback", passport.authenticate("openidconnect", { successRedirect: "/", failureMessage: true }));
    app.get("/me", (request, response) => response.json(request.user));
    app.get("/refresh", (request, response, next) =>
      strategy._oauth2.getOAuthAccessToken(request.user.refreshToken, { grant_type: "refresh_token" },
        (error, accessToken, refreshToken, answer) => (error ? next(error) : response.json(answer))));
    app.get("/logout", (request, response, next) => {
      const { idToken } = request.user;
      request.logout((error) => (error ? next(error) : response.redirect(endOfSession(idToken, `${url}/`))));
    });
  },

  "express-openid-connect"(app, { url, id, secret: clientSecret }) {
    const { auth, requiresAuth } = require("express-openid-connect");
    app.use(auth({
      issuerBaseURL: issuer, baseURL: url, clientID: id, clientSecret, secret, authRequired: false, idpLogout: true,
      authorizationParams: { response_type: "code", scope }, routes: { postLogoutRedirect: "/" },
    }));
    app.get("/me", requiresAuth(), async (request, response) => response.json(await request.oidc.fetchUserInfo()));
    app.get("/refresh", requiresAuth(), async (request, response) => response.json(await request.oidc.accessToken.refresh()));
  },

  // All of it in the browser, which asks from another origin.
  "oidc-client-ts"(app, { url, id }) {
    const settings = { authority: issuer, client_id: id, redirect_uri: `${url}/callback`, post_logout_redirect_uri: `${url}/`, scope };
    const show = "(value) => { document.body.textContent = JSON.stringify(value); }";
    const steps = {
      "/login": "manager.signinRedirect()",
      "/callback": "manager.signinCallback().then(() => { location = '/'; })",
      "/me": `manager.getUser().then((user) => user.profile).then(${show})`,
      "/refresh": `manager.signinSilent().then(${show})`,
      "/logout": "manager.signoutRedirect()",
    };
    app.get("/library.js", (request, response) => response.type("js").send(
      fs.readFileSync(new URL("node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js", import.meta.url))));
    for (const [path, step] of Object.entries(steps)) {
      app.get(path, (request, response) => response.send(`<!doctype html><script src="/library.js"></script><body><script>
        const manager = new oidc.UserManager({ ...${JSON.stringify(settings)}, loadUserInfo: true });
        ${step}.catch((error) => { document.body.textContent = error; });
      </script>`));
    }
  },
};

for (const [name, application] of Object.entries(applications)) {
  const app = express();
  app.get("/favicon.ico", (request, response) => response.status(204).end());
  await makers[name](app, application);
  app.get("/", (request, response) => response.send(`<!doctype html><h1>${name}</h1>`));
  await new Promise((resolve) => app.listen(new URL(application.url).port, "127.0.0.1", resolve));
}
console.log("ready");
