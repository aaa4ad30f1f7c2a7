using System.Buffers.Binary;
using Polder.Ledger.Records;
using Polder.Ledger.Stores;

namespace Polder.Node.Storage;

/// <summary>
/// Finds the agreed records among the blocks as they are written, and keeps them where a graph reads them in bulk: the latest as
/// rows, the others in segments of <see cref="SegmentRecords"/>; and what they come to for each peer. On the storage thread.
/// </summary>
/// <remarks>
/// A record belongs to the later of its two halves: it is there when that one was written and gone when that one was evicted.
/// <code>
/// segment = entries of 20 bytes, in order, little-endian
/// offset  size  field
///      0     4  ordinal of the later half, from the first of the segment
///      4     4  number of the contributor
///      8     4  number of the consumer
///     12     8  amount
/// </code></remarks>
internal sealed class WorkAccounts(Database database) : IDisposable
{
    public const int SegmentRecords = 8_192;
    public const int EntryBytes = 20;
    /// <summary>Proposals remembered, so that their agreements, which come soon, need no look-up.</summary>
    private const int ProposalsMax = 1 << 17;
    private const int BalancesMax = 200_000;

    private readonly Statement _block = database.PrepareOnce(
        "SELECT b.ordinal, b.link_peer, b.link_sequence, p.key, l.key, b.rest FROM blocks b CROSS JOIN peers p ON p.id = b.peer CROSS JOIN peers l ON l.id = b.link_peer WHERE b.peer = ? AND b.sequence = ?");
    private readonly Statement _agreements = database.PrepareOnce(
        "SELECT ordinal, sequence FROM blocks WHERE link_peer = ? AND link_sequence = ? AND link_sequence > 0 AND peer = ? AND ordinal < ? ORDER BY ordinal LIMIT 16");
    private readonly Statement _unit = database.PrepareOnce("SELECT id FROM units WHERE name = ?");
    private readonly Statement _addUnit = database.PrepareOnce("INSERT INTO units (name) VALUES (?)");
    private readonly Statement _add = database.PrepareOnce("INSERT INTO work (ordinal, part, unit, contributor, consumer, amount) VALUES (?, ?, ?, ?, ?, ?)");
    private readonly Statement _latest = database.PrepareOnce("SELECT ordinal, unit, contributor, consumer, amount FROM work ORDER BY ordinal, part");
    private readonly Statement _addSegment = database.PrepareOnce("INSERT INTO work_segments (unit, first, last, records) VALUES (?, ?, ?, ?)");
    private readonly Statement _segmentsAt = database.PrepareOnce("SELECT id, unit, first, records FROM work_segments WHERE last >= ? AND first <= ?");
    private readonly Statement _setSegment = database.PrepareOnce("UPDATE work_segments SET records = ? WHERE id = ?");
    private readonly Statement _dropSegment = database.PrepareOnce("DELETE FROM work_segments WHERE id = ?");
    private readonly Statement _at = database.PrepareOnce("SELECT unit, contributor, consumer, amount FROM work WHERE ordinal = ?");
    private readonly Statement _drop = database.PrepareOnce("DELETE FROM work WHERE ordinal = ?");
    private readonly Statement _balance = database.PrepareOnce("SELECT gave, got, records FROM balances WHERE peer = ? AND unit = ?");
    private readonly Statement _setBalance = database.PrepareOnce("INSERT OR REPLACE INTO balances (peer, unit, gave, got, records) VALUES (?, ?, ?, ?, ?)");
    private readonly Dictionary<(int Peer, uint Sequence), Proposed> _proposals = [];
    private readonly Dictionary<string, int> _units = new(StringComparer.Ordinal);
    private readonly Dictionary<(int Peer, int Unit), WorkSums> _balances = [];
    private readonly HashSet<(int Peer, int Unit)> _changed = [];
    private readonly List<(long Ordinal, int Unit, AgreedWork Work)> _fresh = [];
    private long _rows = database.Number("SELECT count(*) FROM work");

    /// <summary>A block was written. The chains' accounts are as they were before it; answers how many records it completed.</summary>
    public int Added(in BlockRow row, long ordinal, ChainState chain, ChainState other)
    {
        var block = row.Block;
        if (!AgreedClaims.TryClaim(block, out var claim)) return 0;
        var (sequence, linkSequence) = (block.Sequence, block.LinkSequence);
        if (block.IsProposal)
        {
            if (_proposals.Count >= ProposalsMax) _proposals.Clear();
            _proposals[(row.Peer, sequence)] = new Proposed(row.LinkPeer, ordinal, claim);
            // Agreements come after their proposals, but for some.
            return chain.Linked >= sequence && WasAgreedTo(row, ordinal, claim)
                ? Agree(ordinal, row.Peer, row.LinkPeer, claim) : 0;
        }
        if (!_proposals.TryGetValue((row.LinkPeer, linkSequence), out var proposal))
        {
            if (other.Latest < linkSequence || Proposal(row.LinkPeer, linkSequence) is not { } found) return 0;
            proposal = found;
            if (IsAgreed(proposal, row, ordinal)) return 0;
        }
        else if (other.Linked >= linkSequence && IsAgreed(proposal, row, ordinal)) return 0;
        return proposal.Other == row.Peer && AgreedClaims.Agree(proposal.Claim, claim) ? Agree(ordinal, row.LinkPeer, row.Peer, proposal.Claim) : 0;
    }

    /// <summary>A block went; answers how many records went with it.</summary>
    public int Removed(long ordinal, int peer, uint sequence)
    {
        _proposals.Remove((peer, sequence));
        var gone = 0;
        _at.Bind(1, ordinal);
        while (_at.Step())
        {
            Forget((int)_at.Number(0), new AgreedWork((int)_at.Number(1), (int)_at.Number(2), _at.Number(3)));
            gone++;
        }
        if (gone > 0)
        {
            _drop.Bind(1, ordinal).Run();
            _rows -= gone;
            return gone;
        }
        var segments = new List<(long Id, int Unit, byte[] Records)>();
        _segmentsAt.Bind(1, ordinal).Bind(2, ordinal);
        while (_segmentsAt.Step())
        {
            var records = _segmentsAt.Blob(3);
            var offset = (uint)(ordinal - _segmentsAt.Number(2));
            if (FirstAt(records, offset) is not (>= 0 and var at)) continue;
            var until = at;
            for (; until < records.Length && BinaryPrimitives.ReadUInt32LittleEndian(records[until..]) == offset; until += EntryBytes)
            {
                Forget((int)_segmentsAt.Number(1), Entry(records[until..]));
                gone++;
            }
            segments.Add((_segmentsAt.Number(0), 0, [.. records[..at], .. records[until..]]));
        }
        foreach (var (id, _, records) in segments)
        {
            if (records.Length == 0) _dropSegment.Bind(1, id).Run();
            else _setSegment.Bind(1, records).Bind(2, id).Run();
        }
        return gone;
    }

    /// <summary>At the end of a batch, in its transaction.</summary>
    public void Write()
    {
        if (_fresh.Count > 0)
        {
            if (_rows + _fresh.Count >= SegmentRecords) WriteSegments();
            else
            {
                var (last, part) = (0L, 0);
                foreach (var (ordinal, unit, work) in _fresh)
                {
                    part = ordinal == last ? part + 1 : 0;
                    last = ordinal;
                    _add.Bind(1, ordinal).Bind(2, part).Bind(3, unit).Bind(4, work.Contributor).Bind(5, work.Consumer).Bind(6, work.Amount).Run();
                }
                _rows += _fresh.Count;
            }
            _fresh.Clear();
        }
        foreach (var changed in _changed)
        {
            var sums = _balances[changed];
            _setBalance.Bind(1, changed.Peer).Bind(2, changed.Unit).Bind(3, sums.Gave).Bind(4, sums.Got).Bind(5, sums.Records).Run();
        }
        _changed.Clear();
        if (_balances.Count > BalancesMax) _balances.Clear();
    }

    /// <summary>An entry of a segment.</summary>
    public static AgreedWork Entry(ReadOnlySpan<byte> entry) => new(
        BinaryPrimitives.ReadInt32LittleEndian(entry[4..]), BinaryPrimitives.ReadInt32LittleEndian(entry[8..]), BinaryPrimitives.ReadInt64LittleEndian(entry[12..]));

    public void Dispose()
    {
        foreach (var statement in (Statement[])
            [_block, _agreements, _unit, _addUnit, _add, _latest, _addSegment, _segmentsAt, _setSegment, _dropSegment, _at, _drop, _balance, _setBalance])
            statement.Dispose();
    }

    private int Agree(long ordinal, int proposer, int answerer, in HelpClaim claim)
    {
        var (unit, added) = (UnitOf(claim.Unit), 0);
        if (AgreedClaims.Counts(claim.Gave)) Take(new AgreedWork(proposer, answerer, claim.Gave));
        if (AgreedClaims.Counts(claim.Got)) Take(new AgreedWork(answerer, proposer, claim.Got));
        return added;

        void Take(AgreedWork work)
        {
            _fresh.Add((ordinal, unit, work));
            foreach (var peer in (ReadOnlySpan<int>)[work.Contributor, work.Consumer]) Set(peer, unit, BalanceOf(peer, unit).With(work, peer));
            added++;
        }
    }

    private void Forget(int unit, in AgreedWork work)
    {
        foreach (var peer in (ReadOnlySpan<int>)[work.Contributor, work.Consumer]) Set(peer, unit, BalanceOf(peer, unit).Without(work, peer));
    }

    private void Set(int peer, int unit, WorkSums sums)
    {
        _balances[(peer, unit)] = sums;
        _changed.Add((peer, unit));
    }

    private WorkSums BalanceOf(int peer, int unit)
    {
        if (_balances.TryGetValue((peer, unit), out var sums)) return sums;
        _balance.Bind(1, peer).Bind(2, unit);
        if (_balance.Step())
        {
            sums = new WorkSums(_balance.Number(0), _balance.Number(1), _balance.Number(2));
            _balance.Reset();
        }
        return sums;
    }

    private int UnitOf(string name)
    {
        if (_units.TryGetValue(name, out var unit)) return unit;
        _unit.Bind(1, name);
        if (_unit.Step())
        {
            unit = (int)_unit.Number(0);
            _unit.Reset();
        }
        else
        {
            _addUnit.Bind(1, name).Run();
            unit = (int)database.Number("SELECT last_insert_rowid()");
        }
        // Anybody may invent units; they are told apart on the disk, not all remembered.
        if (_units.Count >= 1024) _units.Clear();
        return _units[name] = unit;
    }

    private Proposed? Proposal(int peer, uint sequence)
    {
        _block.Bind(1, peer).Bind(2, sequence);
        if (!_block.Step()) return null;
        try
        {
            return _block.Number(2) == 0
                && BlockReader.TryAssemble(_block.Blob(3), sequence, _block.Blob(4), 0, _block.Blob(5)) is { } block && AgreedClaims.TryClaim(block, out var claim)
                ? new Proposed((int)_block.Number(1), _block.Number(0), claim) : null;
        }
        finally { _block.Reset(); }
    }

    /// <summary>Whether the counterparty's agreement was here before its proposal and says the same; not when the record is known from before.</summary>
    private bool WasAgreedTo(in BlockRow row, long ordinal, in HelpClaim proposed)
    {
        var agreements = Agreements(row.Peer, row.Block.Sequence, row.LinkPeer, ordinal);
        foreach (var (known, _) in agreements)
            if (IsRecorded(known)) return false;
        foreach (var (_, sequence) in agreements)
        {
            _block.Bind(1, row.LinkPeer).Bind(2, sequence);
            if (!_block.Step()) continue;
            try
            {
                if (BlockReader.TryAssemble(_block.Blob(3), sequence, _block.Blob(4), (uint)_block.Number(2), _block.Blob(5)) is { } block
                    && AgreedClaims.TryClaim(block, out var claim) && AgreedClaims.Agree(proposed, claim)) return true;
            }
            finally { _block.Reset(); }
        }
        return false;
    }

    /// <summary>Whether this proposal and this signer have a record already, by an agreement that is here or by one that was.</summary>
    private bool IsAgreed(in Proposed proposal, in BlockRow row, long ordinal)
    {
        if (IsRecorded(proposal.Ordinal)) return true;
        foreach (var (known, _) in Agreements(row.LinkPeer, row.Block.LinkSequence, row.Peer, ordinal))
            if (IsRecorded(known)) return true;
        return false;
    }

    private List<(long Ordinal, uint Sequence)> Agreements(int linkPeer, uint linkSequence, int peer, long before)
    {
        var found = new List<(long, uint)>();
        _agreements.Bind(1, linkPeer).Bind(2, linkSequence).Bind(3, peer).Bind(4, before);
        while (_agreements.Step()) found.Add((_agreements.Number(0), (uint)_agreements.Number(1)));
        return found;
    }

    private bool IsRecorded(long ordinal)
    {
        for (var i = _fresh.Count - 1; i >= 0 && _fresh[i].Ordinal >= ordinal; i--)
            if (_fresh[i].Ordinal == ordinal) return true;
        _at.Bind(1, ordinal);
        if (_at.Step())
        {
            _at.Reset();
            return true;
        }
        _segmentsAt.Bind(1, ordinal).Bind(2, ordinal);
        while (_segmentsAt.Step())
        {
            if (FirstAt(_segmentsAt.Blob(3), (uint)(ordinal - _segmentsAt.Number(2))) < 0) continue;
            _segmentsAt.Reset();
            return true;
        }
        return false;
    }

    private void WriteSegments()
    {
        var all = new List<(long Ordinal, int Unit, AgreedWork Work)>();
        while (_latest.Step())
            all.Add((_latest.Number(0), (int)_latest.Number(1), new AgreedWork((int)_latest.Number(2), (int)_latest.Number(3), _latest.Number(4))));
        all.AddRange(_fresh);
        database.Execute("DELETE FROM work");
        _rows = 0;
        foreach (var ofUnit in all.GroupBy(static record => record.Unit))
        {
            foreach (var part in ofUnit.Chunk(SegmentRecords))
            {
                var first = part[0].Ordinal;
                var packed = new byte[part.Length * EntryBytes];
                for (var i = 0; i < part.Length; i++)
                {
                    var entry = packed.AsSpan(i * EntryBytes);
                    BinaryPrimitives.WriteUInt32LittleEndian(entry, checked((uint)(part[i].Ordinal - first)));
                    BinaryPrimitives.WriteInt32LittleEndian(entry[4..], part[i].Work.Contributor);
                    BinaryPrimitives.WriteInt32LittleEndian(entry[8..], part[i].Work.Consumer);
                    BinaryPrimitives.WriteInt64LittleEndian(entry[12..], part[i].Work.Amount);
                }
                _addSegment.Bind(1, ofUnit.Key).Bind(2, first).Bind(3, part[^1].Ordinal).Bind(4, packed).Run();
            }
        }
    }

    /// <summary>Where in a segment the entries of an ordinal begin; below 0 when there is none.</summary>
    private static int FirstAt(ReadOnlySpan<byte> records, uint offset)
    {
        int low = 0, high = records.Length / EntryBytes;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (BinaryPrimitives.ReadUInt32LittleEndian(records[(middle * EntryBytes)..]) < offset) low = middle + 1;
            else high = middle;
        }
        var at = low * EntryBytes;
        return at < records.Length && BinaryPrimitives.ReadUInt32LittleEndian(records[at..]) == offset ? at : -1;
    }

    private readonly record struct Proposed(int Other, long Ordinal, HelpClaim Claim);
}
