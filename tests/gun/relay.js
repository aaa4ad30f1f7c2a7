// relay.js PORT FOLDER: the relay of the package as its own examples start it (disk, AXE), on loopback, without LAN multicast. For ./x bench graph.
const Gun = require('gun');
const server = require('http').createServer(Gun.serve(__dirname)).listen(+process.argv[2], '127.0.0.1');
Gun({ web: server, file: process.argv[3], multicast: false });
