// Asks a web site for its headers every few seconds and says how long the answer took.
const http = require('node:http');
const https = require('node:https');

const target = process.env.TARGET ?? 'ltfe.org';
const method = process.env.METHOD ?? 'HEAD';
const interval = Number(process.env.INTERVAL ?? 3000);

function ping(number) {
  const url = new URL(target.includes('://') ? target : `https://${target}`);
  const { request } = url.protocol === 'http:' ? http : https;
  const started = Date.now();
  console.log(`Making request number: ${number}; at ${started}`);
  const outgoing = request(url, { method }, (response) => {
    console.log(`Got response status: ${response.statusCode} at ${Date.now()}; duration: ${Date.now() - started}ms`);
    response.resume();
  });
  outgoing.on('error', (error) => console.log(`Got error: ${error.message}`));
  outgoing.end();
  setTimeout(ping, interval, number + 1);
}

console.log(`** web-ping ** Pinging: ${target}; method: ${method}; ${interval}ms intervals`);
process.on('SIGTERM', () => process.exit(0));
process.on('SIGINT', () => process.exit(0));
ping(1);
