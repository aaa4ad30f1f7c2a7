using Polder.Runtime;

namespace Polder.Apps.Parcels.Mailbox;

/// <summary>What claiming, opening and allocating can end in.</summary>
internal enum RoomRefusal
{
    None,
    Crowded,
    Reclaimed,
    OtherApp,
    Full,
}

/// <summary>
/// Nameplates and mailboxes of a mailbox server, their lives and their limits: pure rules over tables in memory. Every change is also
/// written down in <see cref="TakeChanges"/>, for the store.
/// </summary>
internal sealed class MailboxRooms
{
    private const string Base32 = "abcdefghijklmnopqrstuvwxyz234567";

    private readonly Dictionary<(string App, string Name), Nameplate> _nameplates = [];
    private readonly Dictionary<string, Room> _rooms = new(StringComparer.Ordinal);
    private readonly Prng _random;
    private readonly List<MailboxChange> _changes = [];

    public MailboxRooms(Prng random, IReadOnlyList<MailboxChange> stored, DateTimeOffset now)
    {
        _random = random;
        foreach (var change in stored)
        {
            switch (change)
            {
                case MailboxChange.PutMailbox put: _rooms[put.Id] = new Room(put.Id, put.App) { Sides = put.Sides, Touched = now }; break;
                case MailboxChange.PutNameplate put: _nameplates[(put.App, put.Name)] = new Nameplate(put.App, put.Name, put.Mailbox) { Sides = put.Sides }; break;
                case MailboxChange.AddMessage add when _rooms.TryGetValue(add.Mailbox, out var room): room.Messages.Add(add.Message); break;
            }
        }
        foreach (var plate in _nameplates.Values)
            if (_rooms.TryGetValue(plate.Mailbox, out var room)) room.Nameplate = plate;
    }

    public sealed class Nameplate(string app, string name, string mailbox)
    {
        public string App => app;
        public string Name => name;
        public string Mailbox => mailbox;
        public TwoSides Sides { get; set; }
        /// <summary>Who drew or claimed it first, for the limit per address; "" after a restart.</summary>
        public string Address { get; set; } = "";
    }

    public sealed class Room(string id, string app)
    {
        public string Id => id;
        public string App => app;
        public TwoSides Sides { get; set; }
        public DateTimeOffset Touched { get; set; }
        public List<MailboxMessage> Messages { get; } = [];
        public List<MailboxSession> Subscribers { get; } = [];
        public Nameplate? Nameplate { get; set; }
        public int Bytes => Messages.Sum(message => message.Bytes);
    }

    public int NameplateCount => _nameplates.Count;
    public int RoomCount => _rooms.Count;

    /// <summary>What changed since the last call, for the store.</summary>
    public IReadOnlyList<MailboxChange> TakeChanges()
    {
        if (_changes.Count == 0) return [];
        var taken = _changes.ToArray();
        _changes.Clear();
        return taken;
    }

    public IEnumerable<string> Names(string app) =>
        _nameplates.Keys.Where(key => key.App == app).Select(key => key.Name).Order(StringComparer.Ordinal);

    public int HeldBy(string address) => address.Length == 0 ? 0 : _nameplates.Values.Count(plate => plate.Address == address);

    /// <summary>A random free number: of one digit, else two, else three, else tries among 1000 to 999999.</summary>
    public string? FreeNumber(string app)
    {
        foreach (var (low, high) in ((int, int)[])[(1, 9), (10, 99), (100, 999)])
        {
            var free = Enumerable.Range(low, high - low + 1).Where(number => !_nameplates.ContainsKey((app, Text(number)))).ToArray();
            if (free.Length > 0) return Text(_random.Pick(free));
        }
        for (var i = 0; i < 1000; i++)
            if (Text(_random.Next(1000, 999_999)) is var text && !_nameplates.ContainsKey((app, text))) return text;
        return null;
    }

    public (Room? Room, RoomRefusal Refusal) Claim(string app, string name, string side, string address, DateTimeOffset now)
    {
        if (!_nameplates.TryGetValue((app, name), out var plate))
        {
            if (!MakeRoom(_nameplates.Count, MailboxLimits.NameplatesMax, room => room.Nameplate is not null)) return (null, RoomRefusal.Full);
            plate = new Nameplate(app, name, NewId()) { Address = address };
        }
        if (!plate.Sides.HasRoomFor(side)) return (null, RoomRefusal.Crowded);
        if (plate.Sides.Knows(side) && !plate.Sides.Holds(side)) return (null, RoomRefusal.Reclaimed);
        var (room, refusal) = Open(app, plate.Mailbox, side, now);
        if (room is null) return (null, refusal);
        _nameplates[(app, name)] = plate;
        room.Nameplate = plate;
        plate.Sides = plate.Sides.With(side, true);
        _changes.Add(new MailboxChange.PutNameplate(app, name, plate.Mailbox, plate.Sides));
        return (room, RoomRefusal.None);
    }

    public void Release(string app, string name, string side)
    {
        if (!_nameplates.TryGetValue((app, name), out var plate) || !plate.Sides.Holds(side)) return;
        plate.Sides = plate.Sides.With(side, false);
        if (plate.Sides.Held) _changes.Add(new MailboxChange.PutNameplate(app, name, plate.Mailbox, plate.Sides));
        else Drop(plate);
    }

    public (Room? Room, RoomRefusal Refusal) Open(string app, string id, string side, DateTimeOffset now)
    {
        if (!_rooms.TryGetValue(id, out var room))
        {
            if (!MakeRoom(_rooms.Count, MailboxLimits.MailboxesMax, _ => true)) return (null, RoomRefusal.Full);
            room = _rooms[id] = new Room(id, app);
        }
        if (room.App != app) return (null, RoomRefusal.OtherApp);
        if (!room.Sides.HasRoomFor(side)) return (null, RoomRefusal.Crowded);
        room.Touched = now;
        if (!room.Sides.Holds(side))
        {
            room.Sides = room.Sides.With(side, true);
            _changes.Add(new MailboxChange.PutMailbox(id, app, room.Sides));
        }
        return (room, RoomRefusal.None);
    }

    public void Add(Room room, MailboxMessage message, DateTimeOffset now)
    {
        room.Messages.Add(message);
        room.Touched = now;
        _changes.Add(new MailboxChange.AddMessage(room.Id, message));
    }

    /// <summary>False when it is held against this side by two others.</summary>
    public bool Close(string app, string id, string side)
    {
        if (!_rooms.TryGetValue(id, out var room)) return true;
        if (room.App != app || !room.Sides.HasRoomFor(side)) return false;
        if (!room.Sides.Knows(side)) return true;
        room.Sides = room.Sides.With(side, false);
        if (room.Sides.Held) _changes.Add(new MailboxChange.PutMailbox(id, app, room.Sides));
        else Drop(room);
        return true;
    }

    /// <summary>Deletes what nobody has looked at for long.</summary>
    public void Prune(DateTimeOffset now)
    {
        foreach (var room in _rooms.Values.ToArray())
        {
            if (room.Subscribers.Count > 0) room.Touched = now;
            else if (now - room.Touched > MailboxLimits.MailboxLifetime) Drop(room);
        }
        foreach (var plate in _nameplates.Values.Where(plate => !_rooms.ContainsKey(plate.Mailbox)).ToArray()) Drop(plate);
    }

    /// <summary>When a table is full, the oldest mailbox without subscriber goes.</summary>
    private bool MakeRoom(int count, int limit, Func<Room, bool> counts)
    {
        if (count < limit) return true;
        var oldest = _rooms.Values.Where(room => room.Subscribers.Count == 0 && counts(room)).MinBy(room => room.Touched);
        if (oldest is null) return false;
        Drop(oldest);
        return true;
    }

    private void Drop(Room room)
    {
        _rooms.Remove(room.Id);
        _changes.Add(new MailboxChange.DropMailbox(room.Id));
        if (room.Nameplate is { } plate) Drop(plate);
    }

    private void Drop(Nameplate plate)
    {
        _nameplates.Remove((plate.App, plate.Name));
        if (_rooms.TryGetValue(plate.Mailbox, out var room)) room.Nameplate = null;
        _changes.Add(new MailboxChange.DropNameplate(plate.App, plate.Name));
    }

    /// <summary>8 random bytes in base 32: 13 characters.</summary>
    private string NewId()
    {
        var bits = (UInt128)_random.NextUInt64() << 1;
        Span<char> id = stackalloc char[13];
        for (var i = 12; i >= 0; i--, bits >>= 5) id[i] = Base32[(int)(bits & 31)];
        return new string(id);
    }

    private static string Text(int number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
