// offline.js PORT DOTNET PROGRAM DATA: the node is killed with -9 while two clients are connected, both edit, it starts again: nothing is lost, with the same clients.
const Gun = require('gun'); const { spawn } = require('child_process');
const [, , port, dotnet, program, data] = process.argv;
const peer = () => Gun({ peers: [`http://127.0.0.1:${port}/gun`], radisk: false, localStorage: false, multicast: false, axe: false, file: false, web: false });
const wait = ms => new Promise(r => setTimeout(r, ms));
const once = ref => new Promise(r => { ref.once(r); setTimeout(() => r('timeout'), 3000); });
let child;
const start = () => new Promise(r => {
  child = spawn(dotnet, [program, 'run', '--json', '--loopback', '--port', '0', '--page', '0', '--graph', port, '--data', data], { stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout.once('data', r);
});
const kill = () => new Promise(r => { child.once('exit', r); child.kill('SIGKILL'); });
(async () => {
  await start();
  const a = peer(), b = peer();
  for (const x of [a, b]) { x.get('doc').on(() => { }); x.get('todo').map().on(() => { }); }
  await wait(700);
  a.get('doc').put({ title: 't0', body: 'b0' }); a.get('silent').put({ x: 0 }); b.get('silentb').get('y').put(0); a.get('todo').set({ t: 'zero' });
  await wait(1000); await kill();
  a.get('doc').get('title').put('by a'); b.get('doc').get('body').put('by b'); a.get('todo').set({ t: 'of a' }); b.get('todo').set({ t: 'of b' });
  a.get('silent').get('x').put(1); b.get('silentb').get('y').put(1); a.get('doc').get('sub').put({ deep: 'new' });
  await start(); await wait(6000);
  // gun.js tries a broken connection once, after two seconds, and forgets the peer when it is refused: on a busy machine the node may not be up by then.
  if ([a, b].some(x => !Object.values(x._.opt.peers).some(p => p.wire && p.wire.readyState === 1))) { await kill(); console.log('SAW {"gaveUp":true}'); process.exit(0); }
  const saw = {};
  const todos = async x => { const t = []; x.get('todo').map().once(v => t.push(v && v.t)); await wait(1000); return t.sort().join(); };
  for (const [name, x] of [['a', a], ['b', b], ['c', peer()]]) {
    const doc = await once(x.get('doc'));
    saw[name] = [doc && doc.title, doc && doc.body, await todos(x), await once(x.get('silent').get('x')), await once(x.get('silentb').get('y')), await once(x.get('doc').get('sub').get('deep'))].join('|');
  }
  await kill(); console.log('SAW ' + JSON.stringify(saw)); process.exit(0);
})();
