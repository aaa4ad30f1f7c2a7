using System.Buffers.Binary;
using Polder.Identity;
using Polder.Ledger.Reputation;
using Polder.Ledger.Stores;
using Polder.Runtime;

namespace Polder.Benchmarks;

/// <summary>
/// Made-up records of the published shape: 87,700 peers, both ends of a record drawn by Zipf's law with exponent 0.94, so that 139
/// million records lie between some 58 million different pairs. The same from the same seed.
/// </summary>
internal sealed class ZipfRecords
{
    public const int Peers = 87_700;
    private const double Exponent = 0.94;

    private readonly Prng _random;
    private readonly double[] _keep = new double[Peers];
    private readonly int[] _other = new int[Peers];
    private readonly uint[] _lengths = new uint[Peers];

    public ZipfRecords(ulong seed)
    {
        _random = Prng.Derive(seed, "zipf records");
        // Walker's alias method (Vose, 1991): one draw, one look.
        var weights = new double[Peers];
        var sum = 0.0;
        for (var i = 0; i < Peers; i++) sum += weights[i] = Math.Pow(i + 1, -Exponent);
        var (small, large) = (new Stack<int>(), new Stack<int>());
        for (var i = 0; i < Peers; i++)
        {
            weights[i] *= Peers / sum;
            (weights[i] < 1 ? small : large).Push(i);
        }
        while (small.Count > 0 && large.Count > 0)
        {
            var (few, many) = (small.Pop(), large.Pop());
            (_keep[few], _other[few]) = (weights[few], many);
            weights[many] -= 1 - weights[few];
            (weights[many] < 1 ? small : large).Push(many);
        }
        foreach (var rest in small.Concat(large)) (_keep[rest], _other[rest]) = (1, rest);
    }

    /// <summary>A key for a number; nobody has its private half.</summary>
    public static PublicKey KeyOf(int number)
    {
        var bytes = new byte[KeyFormat.Bytes];
        KeyFormat.PublicTag.CopyTo(bytes);
        new Prng((ulong)number + 1).Fill(bytes.AsSpan(KeyFormat.TagBytes));
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(KeyFormat.TagBytes), number);
        return PublicKey.TryParse(bytes, out var key) ? key : throw new InvalidOperationException("The key is no key.");
    }

    /// <summary>Fills a piece with the next records.</summary>
    public void Fill(Span<AgreedWork> piece)
    {
        for (var i = 0; i < piece.Length; i++)
        {
            var next = Next();
            piece[i] = new AgreedWork(next.Contributor, next.Consumer, next.Amount);
        }
    }

    /// <summary>The next record: the consumer proposes, and both chains grow by one.</summary>
    public NumberedRecord Next()
    {
        var (contributor, consumer) = (Draw(), Draw());
        while (consumer == contributor) consumer = Draw();
        return Between(contributor, consumer);
    }

    /// <summary>A record of these two.</summary>
    public NumberedRecord Between(int contributor, int consumer)
    {
        _lengths[contributor]++;
        return new NumberedRecord(contributor, consumer, 1 + (long)(_random.NextUInt64() >> 40), ++_lengths[consumer], true);
    }

    private int Draw()
    {
        var place = _random.Next(Peers);
        return _random.NextDouble() < _keep[place] ? place : _other[place];
    }
}
