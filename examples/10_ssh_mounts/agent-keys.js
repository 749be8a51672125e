// Asks the ssh agent behind SSH_AUTH_SOCK which keys it has, as `ssh-add -l` does, and prints their comments.
const net = require('node:net');

const requestIdentities = Buffer.from([0, 0, 0, 1, 11]);
const socket = net.connect(process.env.SSH_AUTH_SOCK, () => socket.write(requestIdentities));
let received = Buffer.alloc(0);

socket.on('data', (chunk) => {
  received = Buffer.concat([received, chunk]);
  if (received.length < 4 || received.length < 4 + received.readUInt32BE(0)) return;
  socket.end();
  for (const comment of commentsOf(received)) console.log(comment);
});
socket.on('error', (error) => {
  console.error(`no answer from the agent: ${error.message}`);
  process.exit(1);
});

/** IDENTITIES_ANSWER: length, type 12, the number of keys, then each key and its comment with their lengths. */
function* commentsOf(answer) {
  let at = 9;
  const next = () => {
    const length = answer.readUInt32BE(at);
    at += 4 + length;
    return answer.toString('utf8', at - length, at);
  };
  for (let left = answer.readUInt32BE(5); left > 0; left--) {
    next();
    yield next();
  }
}
