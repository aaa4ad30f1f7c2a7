using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Ledger.Blocks;
using Polder.Runtime;

namespace Polder.Benchmarks;

/// <summary>
/// A ledger of the published shape: 87,700 peers, whose numbers of records follow a Zipf law, in records of bandwidth of which
/// each is a proposal and, soon after, its agreement. The same seed gives the same bytes. Signatures are made up unless asked for: the
/// store never looks at them, and 139 million real ones would take hours.
/// </summary>
internal sealed class LedgerLoad
{
    public const int PeersPublished = 87_700;
    public const long BlocksPublished = 139_000_000;
    private const double Exponent = 0.8;
    private const int SoonAfter = 24;
    private const ulong FirstDay = 1_514_764_800_000, Day = 86_400_000;

    private static readonly byte[] Type = "tribler_bandwidth"u8.ToArray();

    private readonly Prng _random;
    private readonly Peer[] _peers;
    private readonly double[] _threshold;
    private readonly int[] _alias;
    private readonly Queue<(int Proposer, int Answerer, uint Sequence, long Amount, ulong Time)> _open = new();
    private readonly double _blocksADay;
    private long _made;

    public LedgerLoad(ulong seed, int peers = PeersPublished, double blocksADay = 200_000, bool isSigned = false)
    {
        _random = new Prng(seed);
        _blocksADay = blocksADay;
        _peers = new Peer[peers];
        for (var i = 0; i < peers; i++)
        {
            var key = new byte[KeyFormat.Bytes];
            var pair = isSigned ? BenchKeys.Make(5_000_000 + i) : null;
            if (pair is not null) pair.Public.Bytes.CopyTo(key);
            else
            {
                KeyFormat.PublicTag.CopyTo(key);
                _random.Fill(key.AsSpan(KeyFormat.PublicTag.Length));
            }
            _peers[i] = new Peer(key, pair);
        }
        (_threshold, _alias) = Alias(peers);
    }

    /// <summary>The key of a peer, 74 bytes; peer 0 has the most records.</summary>
    public ReadOnlySpan<byte> KeyOf(int peer) => _peers[peer].Key;

    /// <summary>How many blocks of a peer there are so far.</summary>
    public uint LengthOf(int peer) => _peers[peer].Length;

    /// <summary>A peer drawn as records draw them.</summary>
    public int Draw(Prng random)
    {
        var slot = random.Next(_peers.Length);
        return random.NextDouble() < _threshold[slot] ? slot : _alias[slot];
    }

    /// <summary>The next blocks.</summary>
    public HalfBlock[] Next(int count)
    {
        var blocks = new HalfBlock[count];
        for (var i = 0; i < count; i++) blocks[i] = Next();
        return blocks;
    }

    private HalfBlock Next()
    {
        var time = FirstDay + (ulong)(_made++ / _blocksADay * Day);
        if (_open.Count >= SoonAfter || (_open.Count > 0 && (_made & 1) == 0))
        {
            var open = _open.Dequeue();
            return Make(open.Answerer, open.Proposer, open.Sequence, 0, open.Amount, time);
        }
        var proposer = Draw(_random);
        var answerer = Draw(_random);
        while (answerer == proposer) answerer = Draw(_random);
        var amount = 1L << 20 << _random.Next(0, 8);
        var block = Make(proposer, answerer, 0, amount, 0, time);
        _open.Enqueue((proposer, answerer, block.Sequence, amount, time));
        return block;
    }

    private HalfBlock Make(int owner, int other, uint link, long up, long down, ulong time)
    {
        var peer = _peers[owner];
        peer.Up += up;
        peer.Down += down;
        Span<char> letters = stackalloc char[160];
        letters.TryWrite(CultureInfo.InvariantCulture, $"{{\"up\":{up},\"down\":{down},\"total_up\":{peer.Up},\"total_down\":{peer.Down}}}", out var length);
        var packed = new byte[HalfBlock.BytesMin + Type.Length + length];
        peer.Key.CopyTo(packed, 0);
        BinaryPrimitives.WriteUInt32BigEndian(packed.AsSpan(74), ++peer.Length);
        _peers[other].Key.CopyTo(packed, 78);
        BinaryPrimitives.WriteUInt32BigEndian(packed.AsSpan(152), link);
        peer.Tip.CopyTo(packed.AsSpan(156));
        if (peer.Pair is not null) HalfBlock.EmptySignature.CopyTo(packed.AsSpan(188));
        else for (var i = 0; i < 64; i += 8) BinaryPrimitives.WriteUInt64LittleEndian(packed.AsSpan(188 + i), _random.NextUInt64());
        BinaryPrimitives.WriteUInt32BigEndian(packed.AsSpan(252), (uint)Type.Length);
        Type.CopyTo(packed, 256);
        BinaryPrimitives.WriteUInt32BigEndian(packed.AsSpan(256 + Type.Length), (uint)length);
        Encoding.ASCII.GetBytes(letters[..length], packed.AsSpan(260 + Type.Length));
        BinaryPrimitives.WriteUInt64BigEndian(packed.AsSpan(packed.Length - 8), time);
        if (peer.Pair is { } pair)
        {
            Span<byte> signature = stackalloc byte[Ed25519.SignatureBytes];
            pair.Sign(packed, signature);
            signature.CopyTo(packed.AsSpan(188));
        }
        var block = HalfBlock.TryUnpack(packed, out var made) ? made : throw new InvalidOperationException("A block of ours is unreadable.");
        peer.Tip = block.Hash;
        return block;
    }

    // Walker's alias method: one draw of a Zipf law in constant time.
    private static (double[] Threshold, int[] Alias) Alias(int count)
    {
        var weights = new double[count];
        var sum = 0.0;
        for (var i = 0; i < count; i++) sum += weights[i] = 1 / Math.Pow(i + 1, Exponent);
        var (threshold, alias) = (new double[count], new int[count]);
        var (small, large) = (new Stack<int>(), new Stack<int>());
        for (var i = 0; i < count; i++)
        {
            weights[i] *= count / sum;
            (weights[i] < 1 ? small : large).Push(i);
        }
        while (small.Count > 0 && large.Count > 0)
        {
            var (less, more) = (small.Pop(), large.Pop());
            (threshold[less], alias[less]) = (weights[less], more);
            weights[more] -= 1 - weights[less];
            (weights[more] < 1 ? small : large).Push(more);
        }
        foreach (var rest in small.Concat(large)) threshold[rest] = 1;
        return (threshold, alias);
    }

    private sealed class Peer(byte[] key, KeyPair? pair)
    {
        public byte[] Key => key;
        public KeyPair? Pair => pair;
        public uint Length { get; set; }
        public Hash256 Tip { get; set; } = HalfBlock.GenesisHash;
        public long Up { get; set; }
        public long Down { get; set; }
    }
}
