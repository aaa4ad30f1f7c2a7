namespace Polder.Interop.Tests;

/// <summary>
/// Where the peers of others live: folders py-3.2, py-2.14, py-2020 (checkouts of py-ipv8) and kotlin (with a run.sh that
/// starts a kotlin-ipv8 peer), in the folder named by POLDER_PEERS. What is missing is skipped, with the reason.
/// </summary>
internal static class LivingPeers
{
    public const string Python32 = "py-3.2", Python214 = "py-2.14", Python2020 = "py-2020", Kotlin = "kotlin";

    /// <summary>Starts one on a free port of 127.0.0.1 and waits until it is there, or skips the test.</summary>
    /// <param name="kind">Which.</param>
    /// <param name="arguments">As the driver has them; see peers/ipv8_peer.py.</param>
    public static async Task<LivingPeer> StartAsync(string kind, params string[] arguments)
    {
        var folder = Environment.GetEnvironmentVariable("POLDER_PEERS");
        if (string.IsNullOrEmpty(folder)) Assert.Skip($"POLDER_PEERS is not set: no folder with a living {kind} peer. See docs/interop.md.");
        var place = Path.Combine(folder, kind);
        string program;
        string[] first;
        if (kind == Kotlin)
        {
            (program, first) = (Path.Combine(place, "run.sh"), []);
            if (!File.Exists(program)) Assert.Skip($"There is no {program}: see docs/interop.md.");
            if (!OnPath("java")) Assert.Skip("Java is missing: the Kotlin peer cannot run.");
        }
        else
        {
            (program, first) = ("/usr/bin/python3", [Path.Combine(AppContext.BaseDirectory, "peers", "ipv8_peer.py"), "--ipv8", place]);
            if (!Directory.Exists(Path.Combine(place, "ipv8"))) Assert.Skip($"There is no checkout of py-ipv8 in {place}: see docs/interop.md.");
            if (!File.Exists(program)) Assert.Skip("Python 3 is missing: no py-ipv8 peer can run.");
        }
        var peer = new LivingPeer(kind, program, [.. first, .. arguments]);
        try
        {
            await peer.ReadyAsync();
            return peer;
        }
        catch
        {
            await peer.DisposeAsync();
            if (peer.Errors.Contains("ModuleNotFoundError", StringComparison.Ordinal)) Assert.Skip($"A module of Python is missing for {kind}: {peer.Errors}");
            throw;
        }
    }

    private static bool OnPath(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Any(folder => folder.Length > 0 && File.Exists(Path.Combine(folder, program)));
}
