// The npm package samlp as an identity provider: `node samlp_idp.js FOLDER`. Whoever asks is signed in at once.
'use strict';

const fs = require('fs');
const path = require('path');
const express = require('express');
const session = require('express-session');
const samlp = require('samlp');
const Participants = require('samlp/lib/sessionParticipants');

const folder = process.argv[2];
const read = (name) => fs.readFileSync(path.join(folder, name), 'utf8');
const config = JSON.parse(read('config.json'));
const behaviour = () => JSON.parse(read('behaviour.json'));
const issuer = `${config.url}/metadata`;
const keys = { cert: read('idp.crt'), key: read('idp.key') };
const REDIRECT = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect';
let participants = [];

// What samlp cannot read itself: the service's metadata.
function service() {
  const xml = read('service.xml');
  const certificates = [...xml.matchAll(/X509Certificate>([^<]+)</g)].map((found) => found[1].replace(/\s/g, ''));
  const logout = /SingleLogoutService[^>]*Location="([^"]+)"/.exec(xml);
  const pem = certificates.length ? `-----BEGIN CERTIFICATE-----\n${certificates[0].replace(/(.{64})/g, '$1\n')}\n-----END CERTIFICATE-----\n` : '';
  return {
    entityId: /entityID="([^"]+)"/.exec(xml)[1],
    acs: /AssertionConsumerService[^>]*Location="([^"]+)"/.exec(xml)[1],
    slo: logout ? logout[1] : '',
    pem,
    publicKey: pem && require('crypto').createPublicKey(pem).export({ type: 'spki', format: 'pem' }),
  };
}

function Mapper(user) {
  return {
    getClaims: () => user,
    getNameIdentifier: () => ({
      nameIdentifier: user.employeeNumber,
      nameIdentifierFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
    }),
  };
}
Mapper.prototype.metadata = [{ id: 'employeeNumber', displayName: 'Employee number' }];

const app = express();
app.use(express.urlencoded({ extended: true }));
app.use(session({ secret: 'only for tests', resave: false, saveUninitialized: true }));

app.get('/metadata', samlp.metadata({
  ...keys, issuer, profileMapper: Mapper, redirectEndpointPath: '/sso', postEndpointPath: '/sso',
  logoutEndpointPaths: { redirect: '/slo' },
}));

function answer(req, res, next) {
  const options = behaviour();
  const known = service();
  const sign = options.sign || 'assertion';
  const sessionIndex = '_session-of-samlp';
  participants = [{
    serviceProviderId: known.entityId, sessionIndex, nameId: options.person.employeeNumber,
    nameIdFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent', serviceProviderLogoutURL: known.slo,
    cert: known.pem, binding: options.logout_by_post ? undefined : REDIRECT,
  }];
  samlp.auth({
    ...keys, issuer, sessionIndex,
    audience: known.entityId, destination: known.acs, recipient: known.acs,
    profileMapper: Mapper,
    getUserFromRequest: () => options.person,
    getPostURL: (audience, request, sent, callback) => callback(null, known.acs),
    signResponse: sign !== 'assertion', signAssertion: sign !== 'response',
    ...(options.want_signed_requests ? { signingCert: known.pem } : {}),
    ...(options.encrypt ? { encryptionCert: known.pem, encryptionPublicKey: known.publicKey } : {}),
    ...(options.samlp || {}),
    ...(req.path === '/start' ? { RelayState: options.relay_state || '' } : {}),
  })(req, res, next);
}
app.get(['/sso', '/start'], answer);
app.post('/sso', answer);

function logout(req, res, next) {
  const options = behaviour();
  samlp.logout({
    ...keys, issuer, sessionParticipants: new Participants(participants),
    clearIdPSession: (callback) => { participants = []; callback(); },
    deflate: true, protocolBinding: options.logout_by_post ? undefined : REDIRECT,
  })(req, res, next);
}
app.get(['/slo', '/leave'], logout);
app.post('/slo', logout);

app.use((error, req, res, next) => { console.error(error); res.status(500).send('error'); });
app.listen(config.port, 'localhost');
