using System.Diagnostics;
using Polder.Runtime;

namespace Polder.Tests;

/// <summary>A decoder under fuzzing: takes any bytes, and may refuse them, but never throws, hangs or allocates much.</summary>
public delegate void Decoder(ReadOnlySpan<byte> bytes);

/// <summary>
/// Feeds decoders with damaged and random bytes, from a printed seed. <c>POLDER_FUZZ_SECONDS</c> makes it longer (`./x fuzz`),
/// <c>POLDER_FUZZ_SEED</c> repeats a run.
/// </summary>
public static class Fuzz
{
    /// <summary>Bytes that a decoder may allocate: so many for each byte of input, and so many on top.</summary>
    public const int AllocationFactor = 4, AllocationConstant = 4096;

    private static readonly TimeSpan OneInputMax = TimeSpan.FromSeconds(1);

    /// <summary>How long one target is fed: 0.5 s in the tests.</summary>
    public static TimeSpan Duration { get; } = TimeSpan.FromSeconds(
        double.TryParse(Environment.GetEnvironmentVariable("POLDER_FUZZ_SECONDS"), System.Globalization.CultureInfo.InvariantCulture, out var seconds) ? seconds : 0.5);

    /// <summary>The seed of this run.</summary>
    public static ulong Seed { get; } = ulong.TryParse(Environment.GetEnvironmentVariable("POLDER_FUZZ_SEED"), out var seed)
        ? seed : (ulong)Random.Shared.NextInt64();

    /// <summary>Runs one target over mutations of a corpus (golden packets, for example). Fails with the input in hex.</summary>
    public static void Run(string target, IReadOnlyList<byte[]> corpus, Decoder decoder, int allocationFactor = AllocationFactor)
    {
        var random = Prng.Derive(Seed, target);
        foreach (var sample in corpus) decoder(sample);
        var clock = Stopwatch.StartNew();
        long inputs = 0;
        while (clock.Elapsed < Duration)
        {
            for (var i = 0; i < 64; i++, inputs++)
            {
                var input = Mutate(random, corpus);
                var (allocatedBefore, startedAt) = (GC.GetAllocatedBytesForCurrentThread(), clock.Elapsed);
                try { decoder(input); }
                catch (Exception problem) { throw Failure(target, input, problem.ToString()); }
                var allocated = GC.GetAllocatedBytesForCurrentThread() - allocatedBefore;
                // What a decoder allocates for one input is the same every time; the runtime's own share of a first call is not.
                if (allocated > (long)allocationFactor * input.Length + AllocationConstant
                    && (allocated = Allocates(decoder, input)) > (long)allocationFactor * input.Length + AllocationConstant)
                    throw Failure(target, input, $"allocated {allocated} bytes for {input.Length}");
                // One slow input may be the machine's doing; the same input slow three times is ours.
                if (clock.Elapsed - startedAt > OneInputMax && Slowest(decoder, input, 3) > OneInputMax) throw Failure(target, input, "too slow");
            }
        }
        Assert.True(inputs > 0);
    }

    private static long Allocates(Decoder decoder, byte[] input)
    {
        var least = long.MaxValue;
        for (var i = 0; i < 3; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            decoder(input);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        return least;
    }

    /// <summary>Every truncation of <paramref name="whole"/> (from nothing to one byte short) must be refused.</summary>
    public static void RefusesEveryTruncation(ReadOnlySpan<byte> whole, Func<byte[], bool> accepts)
    {
        for (var length = 0; length < whole.Length; length++)
            if (accepts(whole[..length].ToArray())) Assert.Fail($"The first {length} of {whole.Length} bytes are accepted: {Convert.ToHexStringLower(whole)}");
    }

    /// <summary>One mutated input: flipped, cut, repeated, spliced, with interesting numbers, or wholly random.</summary>
    public static byte[] Mutate(Prng random, IReadOnlyList<byte[]> corpus)
    {
        if (corpus.Count == 0 || random.Chance(0.1))
        {
            var fresh = new byte[random.Next(random.Chance(0.1) ? 4096 : 256)];
            random.Fill(fresh);
            return fresh;
        }
        var bytes = random.Pick(corpus).ToArray();
        for (var rounds = random.Next(1, 4); rounds > 0 && bytes.Length > 0; rounds--)
        {
            var at = random.Next(bytes.Length);
            switch (random.Next(7))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes[at] = (byte)random.Next(256); break;
                case 2: bytes = bytes[..at]; break;
                case 3: bytes = [.. bytes[..at], .. bytes[random.Next(bytes.Length)..]]; break;
                case 4:
                    ReadOnlySpan<byte> interesting = [0, 1, 0x7F, 0x80, 0xFE, 0xFF];
                    var value = interesting[random.Next(interesting.Length)];
                    for (var i = at; i < Math.Min(at + random.Next(1, 8), bytes.Length); i++) bytes[i] = value;
                    break;
                case 5:
                    var other = random.Pick(corpus);
                    if (other.Length > 0) bytes = [.. bytes[..at], .. other[random.Next(other.Length)..]];
                    break;
                default:
                    var more = new byte[random.Next(1, 64)];
                    random.Fill(more);
                    bytes = [.. bytes[..at], .. more, .. bytes[at..]];
                    break;
            }
        }
        return bytes;
    }

    private static TimeSpan Slowest(Decoder decoder, byte[] input, int times)
    {
        var least = TimeSpan.MaxValue;
        for (var i = 0; i < times; i++)
        {
            var clock = Stopwatch.StartNew();
            decoder(input);
            if (clock.Elapsed < least) least = clock.Elapsed;
        }
        return least;
    }

    private static Xunit.Sdk.XunitException Failure(string target, byte[] input, string why) => new Xunit.Sdk.XunitException(
        $"{target}: {why}\nseed {Seed} (POLDER_FUZZ_SEED repeats it), input {Convert.ToHexStringLower(input)}");
}
