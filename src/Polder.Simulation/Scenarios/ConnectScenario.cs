using System.Globalization;
using Polder.Overlay;
using Polder.Overlay.Connecting;
using Polder.Overlay.Nat;
using Polder.Overlay.Sessions;

namespace Polder.Simulation.Scenarios;

/// <summary>
/// Full nodes behind NAT boxes of every two kinds connect by key, with the help of ordinary nodes that have public addresses: directly
/// where Overlay §6.3 says so, through a relay elsewhere (acceptance, line 2).
/// </summary>
internal static class ConnectScenario
{
    public static Scenario Scenario { get; } = new(
        "connect", "Two full nodes behind boxes of every two kinds connect by key: directly where that can be, else relayed; how fast.",
        [1, 2], 4, Play);

    /// <summary>The kinds of the matrix, by natlab's names.</summary>
    internal static IReadOnlyList<string> Kinds { get; } =
        ["public", "full", "addr", "port", "portrnd", "adm", "sym", "symseq", "port+portrnd", "port+sym", "fw"];

    /// <summary>What a node behind such a box is to find out about itself.</summary>
    internal static NatClass ClassOf(string kind) => kind switch
    {
        "public" => NatClass.Open,
        "full" => NatClass.Full,
        "adm" or "sym" or "port+sym" => NatClass.Random,
        "symseq" => NatClass.Sequential,
        "udpblock" => NatClass.Blocked,
        _ => NatClass.Filtered,
    };

    /// <summary>Whether the table of pairs promises a direct way. Two sequential routers may or may not find each other.</summary>
    internal static bool MustBeDirect(string a, string b)
    {
        var (left, right) = (ClassOf(a), ClassOf(b));
        return IsEasy(left) || IsEasy(right);

        static bool IsEasy(NatClass value) => value is NatClass.Open or NatClass.Full or NatClass.Filtered;
    }

    /// <summary>What came of one pair.</summary>
    /// <param name="Usable">From the wish to the first packet of the session at the other side.</param>
    /// <param name="Direct">From the wish to a way without a relay; null when there was none.</param>
    /// <param name="Origin">How the way was made.</param>
    /// <param name="ClassesRight">Whether both knew what they are behind.</param>
    internal sealed record Meeting(TimeSpan Usable, TimeSpan? Direct, PathOrigin? Origin, bool ClassesRight);

    /// <summary>One pair in a world of its own.</summary>
    internal static Meeting Meet(
        World world, string a, string b, int helpers, TimeSpan patience, OverlayOptions? helperOptions = null, OverlayOptions? endOptions = null)
    {
        for (var i = 0; i < helpers; i++) world.AddNode(Helper(i), null, helperOptions).WalkTo(world[Helper(0)]);
        world.RunFor(12.Seconds);
        var (left, right) = (Add("left", a), Add("right", b));
        // What they are behind is known within ten seconds of three neighbours (acceptance, line 1); places at relays then too.
        world.RunFor(20.Seconds);
        var classesRight = left.Host.Nat.Class == ClassOf(a) && right.Host.Nat.Class == ClassOf(b);

        var began = world.Now;
        left.Run(() => _ = left.Host.Connector.ConnectAsync(right.Identity.Public));
        world.RunUntil(() => Found(left, right) is not null && Found(right, left) is { } there && there.LastIn.Ticks > 0, patience, $"{a} to {b}", 5.Milliseconds,
            () => Describe(left, right));
        var usable = world.Now - began;
        TimeSpan? direct = null;
        while (world.Now - began < patience && direct is null)
        {
            if (Found(left, right) is { Path.Kind: not PathKind.Relayed }) direct = world.Now - began;
            else world.RunFor(20.Milliseconds);
        }
        return new Meeting(usable, direct, left.Host.Connector.View(right.Identity.Public).Origin, classesRight);

        SimulatedNode Add(string name, string kind)
        {
            if (!NatKinds.TryParse(kind.Split(' '), out var home, out var error)) throw new ArgumentException(error);
            // They know the helpers and do not look for more, so that they have not met before.
            var node = world.AddNode(name, home, (endOptions ?? new OverlayOptions()) with { WalkTarget = helpers, PeersWanted = helpers });
            for (var i = 0; i < helpers; i++) node.WalkTo(world[Helper(i)]);
            return node;
        }
    }

    internal static Session? Found(SimulatedNode from, SimulatedNode to) => from.Host.Sessions.Find(to.Identity.Public) is { IsOpen: true } session ? session : null;

    internal static string Describe(SimulatedNode left, SimulatedNode right)
    {
        var view = left.Host.Connector.View(right.Identity.Public);
        return $"classes {left.Host.Nat.View.Letter} and {right.Host.Nat.View.Letter}; "
            + string.Join("; ", view.Attempts.Select(attempt => $"{attempt.What}: {attempt.Outcome}"));
    }

    private static string Helper(int number) => string.Create(CultureInfo.InvariantCulture, $"helper {number}");

    private static void Play(ScenarioRun run)
    {
        var (chapter, direct, relayed) = (0, 0, 0);
        var (usable, punched) = (new List<TimeSpan>(), new List<TimeSpan>());
        for (var i = 0; i < Kinds.Count; i++)
            for (var j = i; j < Kinds.Count; j++)
            {
                // Each pair once, from a side that the seed chooses.
                var (a, b) = run.Swarm.Chance(0.5) ? (Kinds[i], Kinds[j]) : (Kinds[j], Kinds[i]);
                var must = MustBeDirect(a, b);
                var world = run.NewWorld(new LinkModel { Latency = 15.Milliseconds, Spread = 20.Milliseconds, Jitter = 3.Milliseconds }, ++chapter);
                var meeting = Meet(world, a, b, run.Nodes, must ? 60.Seconds : 3.Seconds);
                if (!meeting.ClassesRight) world.Fail($"{a} and {b}: a node does not know what it is behind");
                if (must && meeting.Direct is null) world.Fail($"{a} and {b} have no direct way after a minute: {Describe(world["left"], world["right"])}");
                usable.Add(meeting.Usable);
                if (meeting.Direct is { } time)
                {
                    direct++;
                    punched.Add(time);
                }
                else relayed++;
            }
        run.Say(string.Create(CultureInfo.InvariantCulture,
            $"{direct} pairs of kinds connect directly, {relayed} through a relay; first packet {Share(usable, 0.5)} ms median, {Share(usable, 0.95)} ms at 95 %; direct {Share(punched, 0.5)} ms median, {Share(punched, 0.95)} ms at 95 %"));
    }

    private static double Share(List<TimeSpan> times, double share)
    {
        times.Sort();
        return Math.Round(times[Math.Min(times.Count - 1, (int)(times.Count * share))].TotalMilliseconds);
    }
}
