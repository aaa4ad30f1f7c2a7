using Polder.Ledger.Stores;

namespace Polder.Node.Storage;

/// <summary>
/// What is kept of each chain, of each day and in all, beside the blocks and in their transaction: so that nobody ever counts all
/// blocks. On the storage thread.
/// </summary>
internal sealed class ChainAccounts(Database database) : IDisposable
{
    /// <summary>Chains in memory between two batches.</summary>
    private const int CachedMax = 200_000;

    private readonly Statement _read = database.PrepareOnce("SELECT blocks, latest, named, linked, day FROM chains WHERE peer = ?");
    private readonly Statement _write = database.PrepareOnce("INSERT OR REPLACE INTO chains (peer, blocks, latest, named, linked, day) VALUES (?, ?, ?, ?, ?, ?)");
    private readonly Statement _latest = database.PrepareOnce("SELECT max(sequence) FROM blocks WHERE peer = ?");
    private readonly Statement _addPeer = database.PrepareOnce("INSERT INTO peers (id, key) VALUES (?, ?)");
    private readonly Statement _dropPeer = database.PrepareOnce("DELETE FROM peers WHERE id = ?");
    private readonly Statement _dropChain = database.PrepareOnce("DELETE FROM chains WHERE peer = ?");
    private readonly Statement _dropBalances = database.PrepareOnce("DELETE FROM balances WHERE peer = ?");
    private readonly Statement _day = database.PrepareOnce(
        "INSERT INTO days (day, blocks, users, newcomers) VALUES (?, ?, ?, ?) ON CONFLICT (day) DO UPDATE SET blocks = blocks + excluded.blocks, users = users + excluded.users, newcomers = newcomers + excluded.newcomers");
    private readonly Statement _totals = database.PrepareOnce("UPDATE totals SET blocks = blocks + ?, bytes = bytes + ?, records = records + ?");
    private readonly Dictionary<int, ChainState> _states = [];
    private readonly List<ChainState> _touched = [];
    private readonly Dictionary<int, (long Blocks, long Users, long Newcomers)> _days = [];
    private long _blocks, _bytes;

    /// <summary>Agreed records more (or less) in this batch; told by who makes them.</summary>
    public long Records { get; set; }

    /// <summary>The chain with this number; its key is written down when this is the first of it.</summary>
    public ChainState Of(int number, ReadOnlySpan<byte> key)
    {
        if (!_states.TryGetValue(number, out var state))
        {
            state = new ChainState { Number = number };
            _read.Bind(1, number);
            if (_read.Step())
            {
                (state.Blocks, state.Latest, state.Named) = (_read.Number(0), (uint)_read.Number(1), _read.Number(2));
                (state.Linked, state.Day) = ((uint)_read.Number(3), (int)_read.Number(4));
                _read.Reset();
            }
            else _addPeer.Bind(1, number).Bind(2, key).Run();
            _states.Add(number, state);
        }
        if (!state.IsTouched)
        {
            state.IsTouched = true;
            _touched.Add(state);
        }
        return state;
    }

    /// <summary>A block was added.</summary>
    public void Added(in BlockRow row, ChainState chain, ChainState other, int restBytes)
    {
        var (sequence, linkSequence) = (row.Block.Sequence, row.Block.LinkSequence);
        chain.Blocks++;
        chain.Latest = Math.Max(chain.Latest, sequence);
        other.Named++;
        other.Linked = Math.Max(other.Linked, linkSequence);
        var day = DayCount.NumberOf(row.Block.Timestamp);
        var (blocks, users, newcomers) = _days.GetValueOrDefault(day);
        var isLater = day > chain.Day;
        if (isLater) chain.Day = day;
        _days[day] = (blocks + 1, users + (isLater ? 1 : 0), newcomers + (sequence == 1 ? 1 : 0));
        _blocks++;
        _bytes += restBytes;
    }

    /// <summary>A block went.</summary>
    public void Removed(ChainState chain, ChainState other, ulong timestamp, int restBytes)
    {
        chain.Blocks--;
        chain.LatestIsOpen = true;
        other.Named--;
        var day = DayCount.NumberOf(timestamp);
        var (blocks, users, newcomers) = _days.GetValueOrDefault(day);
        _days[day] = (blocks - 1, users, newcomers);
        _blocks--;
        _bytes -= restBytes;
    }

    /// <summary>At the end of a batch, in its transaction: writes down what changed. A key that no block names any more goes.</summary>
    public void Write()
    {
        foreach (var state in _touched)
        {
            state.IsTouched = false;
            if (state.Blocks <= 0 && state.Named <= 0)
            {
                _dropChain.Bind(1, state.Number).Run();
                _dropPeer.Bind(1, state.Number).Run();
                _dropBalances.Bind(1, state.Number).Run();
                _states.Remove(state.Number);
                continue;
            }
            if (state.LatestIsOpen)
            {
                _latest.Bind(1, state.Number);
                state.Latest = _latest.Step() ? (uint)_latest.Number(0) : 0;
                _latest.Reset();
                state.LatestIsOpen = false;
            }
            _write.Bind(1, state.Number).Bind(2, state.Blocks).Bind(3, state.Latest).Bind(4, state.Named).Bind(5, state.Linked).Bind(6, state.Day).Run();
        }
        _touched.Clear();
        foreach (var (day, counts) in _days) _day.Bind(1, day).Bind(2, counts.Blocks).Bind(3, counts.Users).Bind(4, counts.Newcomers).Run();
        _days.Clear();
        if (_blocks != 0 || _bytes != 0 || Records != 0) _totals.Bind(1, _blocks).Bind(2, _bytes).Bind(3, Records).Run();
        (_blocks, _bytes, Records) = (0, 0, 0);
        if (_states.Count > CachedMax) _states.Clear();
    }

    public void Dispose()
    {
        foreach (var statement in (Statement[])[_read, _write, _latest, _addPeer, _dropPeer, _dropChain, _dropBalances, _day, _totals]) statement.Dispose();
    }
}

/// <summary>The account of one chain.</summary>
internal sealed class ChainState
{
    public required int Number { get; init; }
    /// <summary>Blocks held of it.</summary>
    public long Blocks { get; set; }
    /// <summary>The highest number of them.</summary>
    public uint Latest { get; set; }
    /// <summary>Blocks held that name its owner as the counterparty.</summary>
    public long Named { get; set; }
    /// <summary>The highest of its numbers that anybody ever linked to.</summary>
    public uint Linked { get; set; }
    /// <summary>The last day of which a block of it came.</summary>
    public int Day { get; set; } = -2;
    public bool IsTouched { get; set; }
    public bool LatestIsOpen { get; set; }
}
