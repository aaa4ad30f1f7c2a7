using Polder.Runtime;

namespace Polder.Host.Lab;

/// <summary>A piece of work that one node does for another, and that both sign.</summary>
/// <param name="At">When, since the start.</param>
/// <param name="Worker">Index of the node that helps.</param>
/// <param name="Helped">Index of the node that is helped.</param>
/// <param name="Bytes">How much.</param>
/// <param name="For">What.</param>
internal sealed record LabJob(TimeSpan At, int Worker, int Helped, long Bytes, string For);

/// <summary>All work of a laboratory, drawn from its seed before it begins: the same seed gives the same work.</summary>
internal static class LabPlan
{
    /// <summary>Pieces of work a second, of all nodes together.</summary>
    public const int JobsPerSecond = 4;
    /// <summary>Pieces of work of a whole laboratory.</summary>
    public const int JobsMax = 2000;
    /// <summary>Time at the start in which nodes only meet.</summary>
    public static readonly TimeSpan Quiet = TimeSpan.FromSeconds(2);

    private static readonly string[] Kinds =
        ["storing a file", "seeding a film", "passing on a stream", "a night's backup", "mirroring a site", "a map of the coast", "sending photographs on"];

    /// <summary>The keys' entropy, the same for the same seed.</summary>
    public static byte[] Entropy(ulong seed, int node)
    {
        var bytes = new byte[Identity.KeyPair.EntropyBytes];
        Prng.Derive(seed, $"key {node}").Fill(bytes);
        return bytes;
    }

    /// <summary>The work, by time. The last of it comes early enough to be signed and ranked before the end.</summary>
    public static IReadOnlyList<LabJob> Draw(ulong seed, int nodes, TimeSpan length)
    {
        var random = Prng.Derive(seed, "work");
        // Some are diligent and some are not: that is what a ranking is for.
        var diligence = new int[nodes];
        for (var i = 0; i < nodes; i++) diligence[i] = 1 + random.Next(6) * random.Next(1, 3);
        var total = diligence.Sum();
        var span = length - Quiet - TimeSpan.FromSeconds(Math.Min(5, length.TotalSeconds / 4));
        var count = (int)Math.Clamp(span.TotalSeconds * JobsPerSecond, 1, JobsMax);
        var jobs = new List<LabJob>(count);
        for (var k = 0; k < count; k++)
        {
            var (ticket, worker) = (random.Next(total), 0);
            while (ticket >= diligence[worker]) ticket -= diligence[worker++];
            // Neighbours on the ring more often than those across it.
            var step = 1 + Math.Min(random.Next(nodes - 1), random.Next(nodes - 1));
            var distance = (step + 1) / 2;
            var helped = ((worker + (step % 2 == 0 ? distance : -distance)) % nodes + nodes) % nodes;
            if (helped == worker) helped = (worker + 1) % nodes;
            jobs.Add(new LabJob(Quiet + span * ((double)k / count), worker, helped, random.Next(1, 48) * (1L << 20), random.Pick(Kinds)));
        }
        return jobs;
    }
}
