using Polder.Cryptography;
using Polder.Overlay.AddressBook;
using Polder.Wire;

namespace Polder.Overlay.Dht.Records;

/// <summary>One record of our own that we want to be found.</summary>
internal sealed class OwnRecord(RecordKind kind, byte[] saltOrTopic, byte[] value, TimeSpan life, ulong sequence)
{
    public RecordKind Kind => kind;
    public byte[] SaltOrTopic => saltOrTopic;
    public byte[] Value => value;
    public TimeSpan Life => life;
    public ulong Sequence => sequence;
    public TimeSpan DueAt { get; set; }
    public int HoldersLast { get; set; }
}

/// <summary>
/// What we publish: stored again after half its life, an hour at the latest, ± 10 %, one after the other. Survives a restart in the node's
/// state, but for the contact record, which is made anew.
/// </summary>
internal sealed class OwnRecords(DhtCommunity dht)
{
    private const byte Version = 1;
    private const int PerStep = 2;
    private static readonly TimeSpan ContactCheck = TimeSpan.FromMinutes(1), RetrySoon = TimeSpan.FromMinutes(1);

    private readonly List<OwnRecord> _all = [];
    private TimeSpan _contactDue;
    private byte[] _contactValue = [];
    private ulong _lastSequence;

    public int Count => _all.Count;
    public IReadOnlyList<OwnRecord> All => _all;

    /// <summary>Where we are, as the contact record says it; empty for nowhere.</summary>
    public Func<byte[]>? Contact { get; set; }

    /// <summary>Never the same twice, and above all that went before, also over restarts: milliseconds of the clock, or one more.</summary>
    public ulong NextSequence() =>
        _lastSequence = Math.Max(_lastSequence + 1, (ulong)Math.Max(0, dht.World.Time.GetUtcNow().ToUnixTimeMilliseconds()));

    public DhtRecord Make(OwnRecord own)
    {
        if (own.Kind == RecordKind.Immutable) return DhtRecord.Immutable(own.Value);
        var expiry = (ulong)Math.Max(0, (dht.World.Time.GetUtcNow() + own.Life).ToUnixTimeSeconds());
        return DhtRecord.Sign(own.Kind, own.SaltOrTopic, own.Sequence, expiry, own.Value, dht.Node.Options.Network, dht.Self, dht.World.Signatures);
    }

    /// <summary>Keeps storing this record; one of the same place is replaced. False when there are too many.</summary>
    public bool Add(OwnRecord own)
    {
        _all.RemoveAll(other => other.Kind == own.Kind && (own.Kind == RecordKind.Immutable
            ? other.Value.AsSpan().SequenceEqual(own.Value) : other.SaltOrTopic.AsSpan().SequenceEqual(own.SaltOrTopic)));
        if (_all.Count >= dht.Options.OwnRecordsMax) return false;
        own.DueAt = dht.Time + Interval(own.Life);
        _all.Add(own);
        Save();
        return true;
    }

    /// <summary>Stores it no more; where it is, it ends by itself. False when it was none of ours.</summary>
    public bool Remove(in Hash256 key)
    {
        var wanted = key;
        if (_all.RemoveAll(own => Make(own).Key == wanted) == 0) return false;
        Save();
        return true;
    }

    public async Task StepAsync()
    {
        var now = dht.Time;
        if (dht.Table.Count == 0) return;
        var left = PerStep;
        for (var i = 0; i < _all.Count && left > 0; i++)
        {
            var own = _all[i];
            if (own.DueAt > now) continue;
            left--;
            own.DueAt = now + Interval(own.Life);
            own.HoldersLast = (await dht.Service.PublishAsync(Make(own), own.Life)).Holders;
            if (own.HoldersLast == 0) own.DueAt = dht.Time + RetrySoon;
        }
        await PublishContactAsync(now);
    }

    public void Load()
    {
        if (dht.Node.Find<IStateStore>()?.Load(StatePart.DhtRecords) is not { } bytes) return;
        var reader = new WireReader(bytes);
        if (reader.ReadByte() != Version) return;
        for (var count = reader.ReadUInt32(); count > 0 && !reader.Failed && _all.Count < dht.Options.OwnRecordsMax; count--)
        {
            var kind = (RecordKind)reader.ReadByte();
            var salt = reader.ReadBytes8(DhtRecord.SaltBytesMax).ToArray();
            var value = reader.ReadBytes16(DhtRecord.ValueBytesMax).ToArray();
            var (life, sequence) = (TimeSpan.FromSeconds(reader.ReadUInt32()), reader.ReadUInt64());
            if (reader.Failed || kind is not (RecordKind.Immutable or RecordKind.Mutable or RecordKind.Membership)) return;
            if (life > dht.Options.RecordLifeMax || (kind == RecordKind.Membership && (salt.Length != Hash256.Bytes || value.Length > DhtRecord.MembershipBytesMax))) continue;
            _lastSequence = Math.Max(_lastSequence, sequence);
            _all.Add(new OwnRecord(kind, salt, value, life, sequence));
        }
    }

    private void Save()
    {
        if (dht.Node.Find<IStateStore>() is not { } store) return;
        var bytes = new byte[5 + _all.Sum(static own => 1 + 1 + own.SaltOrTopic.Length + 2 + own.Value.Length + 4 + 8)];
        var writer = new WireWriter(bytes);
        writer.WriteByte(Version);
        writer.WriteUInt32((uint)_all.Count);
        foreach (var own in _all)
        {
            writer.WriteByte((byte)own.Kind);
            writer.WriteBytes8(own.SaltOrTopic);
            writer.WriteBytes16(own.Value);
            writer.WriteUInt32((uint)own.Life.TotalSeconds);
            writer.WriteUInt64(own.Sequence);
        }
        _ = store.SaveAsync(StatePart.DhtRecords, bytes);
    }

    /// <summary>Says where we are, at once when that changed, else after half the life of the record before.</summary>
    private async Task PublishContactAsync(TimeSpan now)
    {
        if (!dht.Options.PublishesContact || !dht.Upkeep.HasJoined || Contact?.Invoke() is not { Length: > 0 } value) return;
        if (now < _contactDue && value.AsSpan().SequenceEqual(_contactValue)) return;
        (_contactDue, _contactValue) = (now + Interval(dht.Options.ContactLife), value);
        var own = new OwnRecord(RecordKind.Contact, [], value, dht.Options.ContactLife, NextSequence());
        var put = await dht.Service.PublishAsync(Make(own), own.Life);
        if (put.Holders == 0) _contactDue = dht.Time + ContactCheck;
    }

    private TimeSpan Interval(TimeSpan life)
    {
        var half = life / 2;
        var interval = half < dht.Options.RepublishInterval ? half : dht.Options.RepublishInterval;
        return interval * (0.9 + 0.2 * dht.World.Random.NextDouble());
    }
}
