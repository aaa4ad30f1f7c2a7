using System.Globalization;
using Polder.Apps.Bundles;
using Polder.Apps.Bundles.Letters;
using Polder.Overlay;
using Polder.Runtime;

namespace Polder.Simulation.Scenarios;

/// <summary>People with a day's rhythm and a few places, their friendships, what they write, and what must hold. All from the seed: the same in every chapter.</summary>
internal sealed class CarryWorld
{
    private const int Slots = 45, WritingSlots = 15, Places = 3, LettersPerPerson = 5;
    private static readonly TimeSpan Slot = TimeSpan.FromMinutes(2);
    private static readonly double[] MarksMinutes = [5, 15, 30, 60, 90];

    private readonly World _world;
    private readonly Prng _trace, _faults;
    private readonly MailOptions _options;
    private readonly List<SimulatedNode> _people = [];
    private readonly HashSet<SimulatedNode> _hostile = [];
    private readonly bool[,] _friends;
    private readonly double[] _awake;
    private readonly int[] _home;
    private readonly Dictionary<LetterId, Written> _written = [];
    private bool _over;

    private sealed record Written(SimulatedNode From, SimulatedNode To, TimeSpan At)
    {
        public TimeSpan? Arrived { get; set; }
    }

    /// <summary>A person's own memory of letters, on its disk: each by its name, so that one that comes twice changes nothing.</summary>
    private sealed class Shelf
    {
        public HashSet<LetterId> Letters { get; } = [];
        public int Calls { get; set; }
    }

    public CarryWorld(World world, ulong seed, int count, MailOptions options)
    {
        (_world, _options) = (world, options);
        // Not the world's own streams: every chapter has the same people and the same meetings.
        (_trace, _faults) = (Prng.Derive(seed, "carry/people"), Prng.Derive(seed, "carry/faults"));
        _friends = new bool[count, count];
        for (var i = 0; i < count; i++)
        {
            Join(i, (i + 1) % count);
            Join(i, (i + 2) % count);
            if (_trace.Chance(0.5)) Join(i, _trace.Next(count));
        }
        _awake = [.. Enumerable.Range(0, count).Select(_ => 0.15 + 0.5 * _trace.NextDouble())];
        _home = [.. Enumerable.Range(0, count).Select(_ => _trace.Next(Places))];
        for (var i = 0; i < count; i++) _people.Add(Add(i));
        for (var i = 0; i < count; i++)
            for (var j = 0; j < count; j++)
                if (_friends[i, j]) _people[i].Befriend(_people[j]);
        // One of six is hostile, whoever's friend it is.
        for (var i = 0; i < count / 6; i++) _hostile.Add(_people[_trace.Next(count)]);
        foreach (var node in _hostile) TurnHostile(node);

        void Join(int a, int b)
        {
            if (a != b) _friends[a, b] = _friends[b, a] = true;
        }
    }

    /// <summary>Letters written.</summary>
    public int Letters => _written.Count;

    /// <summary>Most bytes that anybody held for others at one moment.</summary>
    public long HeldMost { get; private set; }

    /// <summary>Bytes of letters that went from hand to hand.</summary>
    public long GivenBytes { get; private set; }

    /// <summary>Shares of letters that had arrived after so many minutes.</summary>
    public string Curve => string.Join(", ", MarksMinutes.Select(mark => string.Create(CultureInfo.InvariantCulture,
        $"{mark:0} min {100.0 * _written.Values.Count(letter => letter.Arrived is { } at && at - letter.At <= TimeSpan.FromMinutes(mark)) / Math.Max(1, _written.Count):0} %")));

    public void Play()
    {
        // Everybody writes to friends at random moments of the first third.
        var letters = new List<(TimeSpan At, int From, int To, int Bytes)>();
        for (var i = 0; i < _people.Count; i++)
        {
            var friends = Enumerable.Range(0, _people.Count).Where(j => _friends[i, j]).ToArray();
            for (var n = 0; n < LettersPerPerson; n++)
                letters.Add((_trace.NextDuration(Slot * WritingSlots), i, _trace.Pick(friends), _trace.Chance(0.1) ? _trace.Next(1, 20_000) : _trace.Next(1, 400)));
        }
        foreach (var (at, from, to, bytes) in letters)
            if (!_hostile.Contains(_people[from]) && !_hostile.Contains(_people[to])) _world.At(at, () => Write(_people[from], _people[to], bytes));
        for (var slot = 0; slot < Slots; slot++)
        {
            Meet(slot);
            _world.RunFor(Slot / 2);
            Break();
            _world.RunFor(Slot / 2);
            Look();
        }
        // Then everybody is awake and together: all arrives, and every sender knows.
        _over = true;
        _world.EndFaults();
        foreach (var node in _people)
        {
            node.Disk.Clear();
            if (!node.IsRunning) _world.Restart(node.Name);
        }
        _world.RunUntil(() =>
        {
            Greet(_people);
            return _written.All(letter => letter.Value.Arrived is not null && StateOf(letter.Key, letter.Value.From)?.Stage is LetterStage.Delivered or LetterStage.Seen);
        }, TimeSpan.FromMinutes(20), "every letter is there and its sender knows", TimeSpan.FromSeconds(20), Missing);
        Look();
        _world.CheckAll();
    }

    private SimulatedNode Add(int number)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"p{number}");
        return _world.AddMailNode(name, options: _options, overlay: new OverlayOptions { SourceSlots = 256 }, setUp: (node, host) =>
        {
            host.Find<Mailbag>()!.Receive(LetterKinds.Chat, letter => TakeAsync(node, letter));
            if (_hostile.Contains(node)) _ = new HostileCarrier(host, _world.Random);
        });
    }

    private void TurnHostile(SimulatedNode node) => node.Run(() => _ = new HostileCarrier(node.Host, _world.Random));

    // What a handler does that keeps its own store: idempotent by the letter's name, and true only when it is on the disk.
    private async Task<bool> TakeAsync(SimulatedNode node, Letter letter)
    {
        var shelf = node.Disk.Surface("shelf", () => new Shelf());
        if (shelf.Letters.Contains(letter.Id)) return true;
        if (await node.Disk.CommitAsync(1) < 1) return false;
        if (!shelf.Letters.Add(letter.Id)) return true;
        shelf.Calls++;
        if (!_written.TryGetValue(letter.Id, out var written))
            _world.Fail($"{node.Name} got a letter of {letter.From.ShortName} that nobody wrote");
        else if (written.To != node || written.From.Identity.Public != letter.From) _world.Fail($"{node.Name} got a letter that was for {written.To.Name}");
        else written.Arrived ??= _world.Now;
        return true;
    }

    private void Write(SimulatedNode from, SimulatedNode to, int bytes)
    {
        // One writes when one is awake.
        if (!from.IsRunning) _world.Restart(from.Name);
        from.Run(() => _ = PostAsync());

        async Task PostAsync()
        {
            var at = _world.Now;
            try
            {
                var body = new byte[bytes];
                from.Environment.Random.Fill(body);
                var id = await from.Mailbag!.PostAsync(to.Identity.Public, LetterKinds.Chat, body);
                _written[id] = new Written(from, to, at);
            }
            catch (IOException) { /* The owner is told, and writes again or not. */ }
        }
    }

    /// <summary>Who is awake in a slot, and where; those at one place meet.</summary>
    private void Meet(int slot)
    {
        var places = new List<SimulatedNode>[Places];
        for (var p = 0; p < Places; p++) places[p] = [];
        for (var i = 0; i < _people.Count; i++)
        {
            var (isAwake, place) = (_trace.Chance(_awake[i]), _trace.Chance(0.7) ? _home[i] : _trace.Next(Places));
            if (isAwake) places[place].Add(_people[i]);
            if (isAwake && !_people[i].IsRunning) _world.Restart(_people[i].Name);
            // Asleep: the machine is switched off in the middle of everything.
            if (!isAwake && _people[i].IsRunning) _world.Crash(_people[i].Name);
        }
        _world.Heal();
        for (var a = 0; a < Places; a++)
            for (var b = a + 1; b < Places; b++)
                if (places[a].Count > 0 && places[b].Count > 0) _world.Partition(places[a].Select(static node => node.Name), places[b].Select(static node => node.Name));
        foreach (var place in places) Greet(place);
        _ = slot;
    }

    private static void Greet(List<SimulatedNode> together)
    {
        for (var i = 0; i < together.Count; i++)
            for (var j = i + 1; j < together.Count; j++)
                if (together[i].IsRunning && together[j].IsRunning && together[i].Host.Sessions.Find(together[j].Identity.Public) is null)
                {
                    var (one, other) = (together[i], together[j]);
                    one.Run(() => _ = one.Host.Connector.ConnectAsync(other.Identity.Public));
                }
    }

    /// <summary>Something goes wrong: a disk, or a machine.</summary>
    private void Break()
    {
        if (_over) return;
        var node = _faults.Pick(_people);
        if (_faults.Chance(0.5)) node.Disk.FaultAt(node.Disk.Writes + 1 + _faults.Next(3), _faults.Pick(Enum.GetValues<DiskFault>()));
        else if (_faults.Chance(0.3) && node.IsRunning)
        {
            _world.Crash(node.Name);
            _world.Restart(node.Name);
        }
    }

    /// <summary>What must hold at every moment: nothing counts as delivered that is not there; nobody holds more than the rules allow.</summary>
    private void Look()
    {
        foreach (var (id, letter) in _written)
        {
            if (StateOf(id, letter.From) is not { Stage: LetterStage.Delivered or LetterStage.Seen }) continue;
            if (!letter.To.Disk.Surface("shelf", () => new Shelf()).Letters.Contains(id)) _world.Fail($"a letter of {letter.From.Name} to {letter.To.Name} counts as delivered and is not there");
        }
        foreach (var node in _people)
        {
            if (node.Mailbag is not { } bag) continue;
            HeldMost = Math.Max(HeldMost, bag.Carried.Bytes);
            if (bag.Carried.Bytes > _options.CarriedBytesMax || bag.Carried.StrangersBytes > _options.StrangersBytesMax || bag.Carried.Count > _options.CarriedLettersMax)
                _world.Fail($"{node.Name} carries {bag.Carried.Bytes} bytes in {bag.Carried.Count} letters");
            foreach (var other in _people)
                if (!_friends[node.Index, other.Index] && bag.Carried.Of(other.Identity.Public) is var (bytes, letters) && (bytes > _options.StrangerBytesMax || letters > _options.StrangerLettersMax))
                    _world.Fail($"{node.Name} carries {bytes} bytes for the stranger {other.Name}");
        }
        GivenBytes = _people.Sum(static node => node.Mailbag?.Figures.BytesGiven ?? 0) + GivenBytes;
        foreach (var node in _people)
            if (node.Mailbag is { } bag) bag.Figures.BytesGiven = 0;
    }

    private static LetterState? StateOf(LetterId id, SimulatedNode from) => from.IsRunning ? from.Mailbag?.StateOf(id) : null;

    private string Missing()
    {
        foreach (var (id, letter) in _written)
            if (letter.Arrived is null || StateOf(id, letter.From)?.Stage is not (LetterStage.Delivered or LetterStage.Seen))
                return $"{letter.From.Name} to {letter.To.Name}: {(letter.Arrived is null ? "not there" : "there")}, its sender says: {StateOf(id, letter.From)}";
        return "";
    }
}
