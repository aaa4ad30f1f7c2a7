using System.Globalization;

namespace Polder.Simulation.Scenarios;

/// <summary>What is wrong with a scenario file, and where.</summary>
/// <param name="Line">Counted from 1; 0 for the file as a whole.</param>
/// <param name="Message">One sentence.</param>
public sealed record ScenarioFileError(int Line, string Message)
{
    /// <inheritdoc/>
    public override string ToString() => Line == 0 ? Message : string.Create(CultureInfo.InvariantCulture, $"line {Line}: {Message}");
}

/// <summary>
/// Reads a scenario that somebody wrote as text (docs/simulation.md): one item a line, words apart by blanks, <c>#</c> begins a comment.
/// </summary>
public static class ScenarioFile
{
    private const int NodesMax = 100_000;

    /// <summary>The scenario of a file; null with the first thing that is wrong with it.</summary>
    public static Scenario? TryRead(string name, string text, out ScenarioFileError? error)
    {
        ArgumentNullException.ThrowIfNull(text);
        var plan = new FilePlan();
        var number = 0;
        foreach (var line in text.Split('\n'))
        {
            number++;
            var words = line.Split('#')[0].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 0) continue;
            if (Read(plan, words) is not { } complaint) continue;
            error = new ScenarioFileError(number, complaint);
            return null;
        }
        error = plan.Groups.Count == 0 ? new ScenarioFileError(0, "no nodes: write for example \"nodes 12 public\"")
            : plan.Duration <= TimeSpan.Zero ? new ScenarioFileError(0, "no duration: write for example \"duration 10m\"") : null;
        if (error is not null) return null;
        return new Scenario(name, plan.About, [1], plan.Groups.Sum(static group => group.Count), run => new FilePlay(plan, run).Play())
            { Length = plan.Duration + plan.ConnectedWithin + plan.KnowWithin };
    }

    // Null when the line is understood, else what is wrong with it.
    private static string? Read(FilePlan plan, string[] words)
    {
        switch (words)
        {
            case ["about", ..]:
                plan.About = string.Join(' ', words[1..]);
                return null;
            case ["duration", var text]:
                plan.Duration = Duration(text);
                return plan.Duration > TimeSpan.Zero ? null : $"\"{text}\" is no duration: write 30s, 10m or 2h";
            case ["nodes", var count, .. var kind]:
                if (!int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var nodes) || nodes is < 1 or > NodesMax)
                    return $"\"{count}\" is no number of nodes: 1 to {NodesMax}";
                if (!NatKinds.TryParse(kind.Length == 0 ? ["public"] : kind, out var home, out var complaint)) return complaint;
                if (plan.Groups.Sum(static group => group.Count) + nodes > NodesMax) return $"more than {NodesMax} nodes";
                plan.Groups.Add((nodes, home));
                return null;
            case ["link", .. var settings]:
                return ReadLink(plan, settings);
            case ["churn", var text]:
                plan.HalfLife = Duration(text);
                return plan.HalfLife > TimeSpan.Zero ? null : $"\"{text}\" is no duration: half of the nodes start again within it, for example \"churn 10m\"";
            case ["mischief"]:
                plan.Mischief = true;
                return null;
            case ["at", var text, .. var what]:
                var time = text == "0s" ? TimeSpan.Zero : Duration(text);
                return time < TimeSpan.Zero ? $"\"{text}\" is no time: write 30s, 10m or 2h" : ReadFault(plan, time, what);
            case ["check", .. var what]:
                return ReadCheck(plan, what);
            default:
                return $"\"{words[0]}\" is not understood; a line begins with about, duration, nodes, link, churn, mischief, at or check";
        }
    }

    private static string? ReadLink(FilePlan plan, string[] settings)
    {
        foreach (var setting in settings)
        {
            var (name, value) = setting.IndexOf('=', StringComparison.Ordinal) is var at and > 0 ? (setting[..at], setting[(at + 1)..]) : (setting, "");
            var (share, time) = (Share(value), Duration(value));
            var link = (name, share, time) switch
            {
                ("delay", _, { Ticks: >= 0 }) => plan.Link with { Latency = time },
                ("spread", _, { Ticks: >= 0 }) => plan.Link with { Spread = time },
                ("jitter", _, { Ticks: >= 0 }) => plan.Link with { Jitter = time },
                ("loss", >= 0 and <= 1, _) => plan.Link with { Loss = share },
                ("bursts", >= 0 and < 1, _) => plan.Link with { BurstLoss = share },
                ("burst", _, { Ticks: > 0 }) => plan.Link with { BurstLength = time },
                ("dup", >= 0 and <= 1, _) => plan.Link with { Duplication = share },
                ("reorder", >= 0 and <= 1, _) => plan.Link with { Reordering = share },
                ("spikes", >= 0 and < 1, _) => plan.Link with { Spikes = share },
                ("heldback", >= 0 and <= 1, _) => plan.Link with { HeldBack = share },
                ("biterrors", >= 0 and <= 1, _) => plan.Link with { BitErrors = share },
                ("rate", _, _) when Rate(value) is > 0 and var rate => plan.Link with { BandwidthBytesPerSecond = rate },
                _ => null,
            };
            if (link is null)
                return $"\"{setting}\" is not understood; there are: delay= spread= jitter= burst= (20ms), loss= bursts= dup= reorder= spikes= heldback= biterrors= (2%), rate= (10mbit)";
            plan.Link = link;
        }
        return settings.Length == 0 ? "link wants at least one setting, for example \"link delay=20ms loss=2%\"" : null;
    }

    private static string? ReadFault(FilePlan plan, TimeSpan time, string[] what)
    {
        // The last words of those that end: "for 30s".
        var lasts = TimeSpan.Zero;
        if (what is [.. var before, "for", var text])
        {
            lasts = Duration(text);
            if (lasts <= TimeSpan.Zero) return $"\"{text}\" is no duration: write 30s, 10m or 2h";
            what = before;
        }
        var fault = what switch
        {
            ["cut", var share] when Share(share) is > 0 and < 1 => FileFault.Cut,
            ["cut", var share, "one-way"] when Share(share) is > 0 and < 1 => FileFault.CutOneWay,
            ["clog", var share] when Share(share) is > 0 and < 1 && lasts > TimeSpan.Zero => FileFault.Clog,
            ["swizzle"] when lasts > TimeSpan.Zero => FileFault.Swizzle,
            ["crash", var share] when Share(share) is > 0 and <= 1 => FileFault.Crash,
            ["rebind"] or ["rebind", "newip"] => what.Length == 2 ? FileFault.RebindNewAddress : FileFault.Rebind,
            ["roam", var share] when Share(share) is > 0 and <= 1 => FileFault.Roam,
            ["clocks"] => FileFault.Clocks,
            ["heal"] => FileFault.Heal,
            _ => FileFault.None,
        };
        if (fault == FileFault.None)
            return $"\"{string.Join(' ', what)}\" is not understood; there are: cut 50% [one-way] [for 30s], clog 50% for 10s, swizzle for 20s, crash 20% [for 1m], rebind [newip], roam 10% [for 30s], clocks, heal";
        plan.Faults.Add((time, fault, what.Length > 1 && Share(what[1]) is > 0 and var part ? part : 0, lasts));
        return null;
    }

    private static string? ReadCheck(FilePlan plan, string[] what)
    {
        switch (what)
        {
            case ["caps"]:
                plan.Caps = true;
                return null;
            case ["amplification"]:
                plan.Amplification = true;
                return null;
            case ["connected", var text] when Duration(text) > TimeSpan.Zero:
                plan.ConnectedWithin = Duration(text);
                return null;
            case ["know", var count, var text] when int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var peers) && peers > 0 && Duration(text) > TimeSpan.Zero:
                (plan.KnowPeers, plan.KnowWithin) = (peers, Duration(text));
                return null;
            default:
                return $"\"{string.Join(' ', what)}\" is no check; there are: caps, amplification, connected 3m, know 8 3m";
        }
    }

    /// <summary>"20ms", "30s", "10m", "2h"; negative for anything else.</summary>
    private static TimeSpan Duration(string text)
    {
        foreach (var (unit, ticks) in ((string, long)[])[("ms", TimeSpan.TicksPerMillisecond), ("s", TimeSpan.TicksPerSecond), ("m", TimeSpan.TicksPerMinute), ("h", TimeSpan.TicksPerHour)])
            if (text.EndsWith(unit, StringComparison.Ordinal)
                && double.TryParse(text.AsSpan(0, text.Length - unit.Length), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
                && number * ticks <= TimeSpan.TicksPerDay * 365) return TimeSpan.FromTicks((long)(number * ticks));
        return TimeSpan.FromTicks(-1);
    }

    /// <summary>"2%" or "0.02"; negative for anything else.</summary>
    private static double Share(string text)
    {
        var percent = text.EndsWith('%');
        return double.TryParse(percent ? text[..^1] : text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) ? percent ? number / 100 : number : -1;
    }

    /// <summary>"10mbit" or "64kbit" in bytes a second; negative for anything else.</summary>
    private static double Rate(string text)
    {
        foreach (var (unit, bits) in ((string, double)[])[("mbit", 1e6), ("kbit", 1e3)])
            if (text.EndsWith(unit, StringComparison.Ordinal)
                && double.TryParse(text.AsSpan(0, text.Length - unit.Length), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)) return number * bits / 8;
        return -1;
    }
}
