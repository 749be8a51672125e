module.exports = (name) => `Hello, ${name}\n`;
