// A web page behind a port: reachable from outside only when that port is published.
const http = require('node:http');
const greeting = require('greeting');

const port = Number(process.env.PORT ?? 8080);
const server = http.createServer((request, response) => {
  const name = new URL(request.url, 'http://localhost').searchParams.get('name') ?? 'there';
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end(greeting(name));
});
server.listen(port, () => console.log(`Listening on port ${port}`));
process.on('SIGTERM', () => server.close(() => process.exit(0)));
process.on('SIGINT', () => process.exit(0));
