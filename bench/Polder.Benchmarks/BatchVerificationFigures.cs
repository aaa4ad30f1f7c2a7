using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Polder.Benchmarks.Signatures;
using Polder.Cryptography;
using Polder.Runtime;

namespace Polder.Benchmarks;

/// <summary>
/// What verifying many signatures together brings over libsodium one by one (decision 0026): the batch equation, and one-by-one in four
/// lanes with tables kept for signers that come again. Both are prototypes of this folder; the node does not use them.
/// </summary>
internal static class BatchVerificationFigures
{
    private const int MessageBytes = 220;
    private static readonly int[] Sizes = [8, 64, 256, 1024];

    public static Task<IReadOnlyList<Figure>> RunAsync(Action<string> say, CancellationToken stop)
    {
        say($"vector instructions: AVX2 {Avx2.IsSupported}, AVX-512 {Vector512.IsHardwareAccelerated}, IFMA not offered by .NET 10");
        if (!Avx2.IsSupported)
            return Task.FromResult<IReadOnlyList<Figure>>([new("signatures in vector lanes: this processor has no AVX2", 0, "", null, null)]);
        var figures = new List<Figure>();
        var distinct = Make(1024, signers: 1024);
        var few = Make(1024, signers: 64);
        Acceptance.Prove(say);
        var (product, square) = Field();
        say($"four field products {product:0.0} ns, four squares {square:0.0} ns");
        var single = Single(distinct);
        foreach (var size in Sizes)
        {
            stop.ThrowIfCancellationRequested();
            var (all, repeated) = (Equation(distinct.AsSpan(0, size)), Equation(few.AsSpan(0, size)));
            var fresh = Lanes(distinct.AsSpan(0, size), keep: false);
            var kept = Lanes(few.AsSpan(0, size), keep: true);
            single = (single + Single(distinct)) / 2;
            say($"{size}: libsodium {single:0.0} µs each; equation {all:0.0}, {repeated:0.0} with 64 signers; four lanes {fresh:0.0} with new signers, {kept:0.0} with known ones");
            if (size is 64 or 1024)
            {
                figures.Add(new($"batch equation, {size} signers", all, "µs each", single, all / single));
                figures.Add(new($"batch equation, {size} signatures of at most 64 signers", repeated, "µs each", single, repeated / single));
                figures.Add(new($"one by one in four lanes, {size} new signers", fresh, "µs each", single, fresh / single));
                figures.Add(new($"one by one in four lanes, {size} signatures of known signers", kept, "µs each", single, kept / single));
            }
        }
        var (one, both) = BothCores(few);
        figures.Add(new("libsodium one by one, both cores", one, "a second", null, null));
        figures.Add(new("four lanes, known signers, both cores", both, "a second", one, both / one));
        return Task.FromResult<IReadOnlyList<Figure>>(figures);
    }

    private static SignedItem[] Make(int count, int signers)
    {
        var items = new SignedItem[count];
        var random = new Prng(26);
        for (var i = 0; i < count; i++)
        {
            using var key = BenchKeys.Make(2_000_000 + i % signers);
            var message = new byte[MessageBytes];
            random.Fill(message);
            var signature = new byte[Ed25519.SignatureBytes];
            key.Sign(message, signature);
            items[i] = new(key.Public.SigningKey.ToArray(), message, signature);
        }
        return items;
    }

    private static double Single(SignedItem[] items) => Each(256, () =>
    {
        foreach (var item in items.AsSpan(0, 256))
            if (!Ed25519.Verify(item.Key, item.Message, item.Signature)) throw new InvalidOperationException("A good signature was refused.");
    });

    private static double Equation(ReadOnlySpan<SignedItem> batch)
    {
        var copy = batch.ToArray();
        return Each(copy.Length, () =>
        {
            if (!BatchEquation.Verify(copy)) throw new InvalidOperationException("A good batch was refused.");
        });
    }

    private static double Lanes(ReadOnlySpan<SignedItem> batch, bool keep)
    {
        var copy = batch.ToArray();
        var good = new bool[copy.Length];
        using var verifier = new LaneVerifier(keysMax: 4096);
        return Each(copy.Length, () =>
        {
            if (!keep) verifier.Dispose();
            verifier.Verify(copy, good);
            if (good.Contains(false)) throw new InvalidOperationException("A good signature was refused.");
        });
    }

    /// <summary>Microseconds of the processor for each of so many: what others do on this machine meanwhile counts little.</summary>
    private static double Each(int count, Action work)
    {
        work();
        List<double> rounds = [];
        for (var round = 0; round < 5; round++)
        {
            var (runs, began, cost) = (0, TimeProvider.System.GetTimestamp(), ProcessorTime.OfThread());
            do
            {
                work();
                runs++;
            }
            while (TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromMilliseconds(50));
            rounds.Add((ProcessorTime.OfThread() - cost).TotalMicroseconds / runs / count);
        }
        return Rounds.Median(rounds);
    }

    /// <summary>Nanoseconds of four products, and of four squares.</summary>
    private static (double Product, double Square) Field()
    {
        const int Times = 2000;
        return (1000 * Each(Times, static () => Chain(Times, squares: false)), 1000 * Each(Times, static () => Chain(Times, squares: true)));

        static unsafe void Chain(int times, bool squares)
        {
            var x = FieldLanes.Broadcast(Reference.D);
            var y = x;
            for (var i = 0; i < times; i++)
                if (squares) FieldProducts.Square(&x, &x);
                else FieldProducts.Multiply(&x, &x, &y);
        }
    }

    private static (double Single, double Lanes) BothCores(SignedItem[] items)
    {
        return (Together(() => _ = Single(items), () => 1e6 / Single(items)), Together(() => { }, () => 1e6 / Lanes(items, keep: true)));

        static double Together(Action warm, Func<double> rate)
        {
            warm();
            var results = new double[2];
            var threads = Enumerable.Range(0, 2).Select(i => new Thread(() => results[i] = rate())).ToList();
            threads.ForEach(static t => t.Start());
            threads.ForEach(static t => t.Join());
            return results.Sum();
        }
    }
}
