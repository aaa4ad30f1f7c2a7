// talk.js URL: an unchanged gun.js at a node: writes, reads, live changes, sets, a login from elsewhere, a certificate. Says what it saw as one line of JSON.
const Gun = require('gun'); require('gun/sea'); const SEA = Gun.SEA;
const url = process.argv[2];
const peer = () => Gun({ peers: [url], radisk: false, localStorage: false, multicast: false, axe: false, file: false, web: false });
const wait = ms => new Promise(r => setTimeout(r, ms));
const within = (ms, f) => new Promise(r => { setTimeout(() => r('timeout'), ms); f(r); });
const once = ref => within(9000, r => ref.once(r));
// gun.js gives up on a value 99 ms after the first "not there", which its own machine may need for itself: again, a few times.
const read = async ref => { let v; for (let i = 0; i < 5 && (v = await once(ref)) === undefined; i++) await wait(500); return v; };
const put = (ref, value, opt) => within(9000, r => ref.put(value, r, opt));
(async () => {
  const saw = {}; const a = peer(), b = peer();
  saw.ack = (await put(a.get('people').get('alice'), { name: 'Alice', age: 5 })).ok === true;
  const alice = await read(b.get('people').get('alice')); saw.read = alice && alice.name + alice.age;
  const live = []; b.get('live').get('v').on(v => live.push(v)); await wait(300);
  a.get('live').get('v').put(1); await wait(300); a.get('live').get('v').put(2); await wait(600); saw.live = live.join();
  a.get('list').set({ t: 'one' }); a.get('list').set({ t: 'two' }); await wait(800);
  const list = []; b.get('list').map().once(v => list.push(v && v.t)); await wait(1200); saw.set = list.sort().join();
  saw.missing = (await once(b.get('nothing-here'))) === undefined;
  const alias = 'alias' + Math.random();
  saw.created = !!(await within(20000, r => a.user().create(alias, 'a good passphrase', r))).pub;
  await within(20000, r => a.user().auth(alias, 'a good passphrase', r));
  await put(a.user().get('profile').get('name'), 'Al');
  saw.login = !(await within(20000, r => b.user().auth(alias, 'a good passphrase', r))).err;
  saw.profile = await read(b.user().get('profile').get('name'));
  const bob = await SEA.pair(), g = peer(); await within(9000, r => g.user().auth(bob, r));
  const cert = await SEA.certify([bob.pub], { '*': 'inbox' }, a.user()._.sea);
  saw.certificate = (await put(g.get('~' + a.user().is.pub).get('inbox').get('x'), 'hi', { opt: { cert } })).ok === true;
  saw.inbox = await read(b.get('~' + a.user().is.pub).get('inbox').get('x'));
  console.log('SAW ' + JSON.stringify(saw)); process.exit(0);
})();
