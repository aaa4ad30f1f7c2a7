using System.Globalization;
using Polder.Runtime;

namespace Polder.Simulation.Scenarios;

/// <summary>A story with a point: nodes, links, faults, and what must hold. It runs from a seed.</summary>
/// <param name="Name">By which it is called: <c>./x sim NAME --seed N</c>.</param>
/// <param name="Description">One line for people.</param>
/// <param name="Seeds">Those that every test run uses; fresh ones come on top.</param>
/// <param name="NodesDefault">Size when nobody says another.</param>
/// <param name="Play">The story.</param>
public sealed record Scenario(string Name, string Description, IReadOnlyList<ulong> Seeds, int NodesDefault, Action<ScenarioRun> Play)
{
    /// <summary>Virtual time that it takes, where that is known before it runs.</summary>
    public TimeSpan? Length { get; init; }

    /// <summary>Runs it once. Throws <see cref="SimulationFailedException"/> when something does not hold.</summary>
    /// <param name="seed">Where everything random comes from.</param>
    /// <param name="nodes">The size; null for <see cref="NodesDefault"/>.</param>
    /// <param name="realSignatures">Whether Ed25519 is real; null for in one seed of twenty.</param>
    /// <param name="sampleEvery">Virtual time between two rows of <see cref="ScenarioResult.Series"/>; null for none.</param>
    /// <param name="watch">Told of every world as it is made, for example to end it early; null for nobody.</param>
    public ScenarioResult Run(ulong seed, int? nodes = null, bool? realSignatures = null, TimeSpan? sampleEvery = null, Action<World>? watch = null)
    {
        var run = new ScenarioRun(this, seed, nodes ?? NodesDefault, nodes is not null, realSignatures, sampleEvery, watch);
        Play(run);
        return run.Finish();
    }
}

/// <summary>What a run came to.</summary>
/// <param name="Scenario">Which.</param>
/// <param name="Seed">From which seed.</param>
/// <param name="Trace">Over every datagram, of every world of the run.</param>
/// <param name="Virtual">Virtual time that passed.</param>
/// <param name="Steps">Events.</param>
/// <param name="Datagrams">Datagrams delivered.</param>
/// <param name="RealSignatures">Whether Ed25519 was real.</param>
/// <param name="Lines">What the scenario has to tell.</param>
public sealed record ScenarioResult(
    string Scenario, ulong Seed, string Trace, TimeSpan Virtual, long Steps, long Datagrams, bool RealSignatures, IReadOnlyList<string> Lines)
{
    /// <summary>How it went over virtual time; null when nobody asked.</summary>
    public SimulationSeries? Series { get; init; }
}

/// <summary>One run of a scenario, as its story sees it.</summary>
public sealed class ScenarioRun
{
    private readonly Scenario _scenario;
    private readonly bool _nodesGiven;
    private World? _world;
    private string? _trace;
    private TimeSpan _virtual;
    private long _steps, _datagrams;
    private readonly List<string> _lines = [];
    private readonly SeriesSampler? _sampler;
    private const int LargestWithRealSignatures = 100;

    private readonly Action<World>? _watch;

    internal ScenarioRun(Scenario scenario, ulong seed, int nodes, bool nodesGiven, bool? realSignatures, TimeSpan? sampleEvery, Action<World>? watch)
    {
        _watch = watch;
        _sampler = sampleEvery is { } interval ? new SeriesSampler(interval) : null;
        (_scenario, Seed, Nodes, _nodesGiven) = (scenario, seed, nodes, nodesGiven);
        Swarm = Prng.Derive(seed, "swarm");
        // One seed in twenty runs the real thing.
        // In large worlds real ones would take many minutes, and prove nothing that small worlds do not.
        RealSignatures = realSignatures ?? (Nodes <= LargestWithRealSignatures && Prng.Derive(seed, "signatures?").Chance(0.05));
        Mischief = Prng.Derive(seed, "mischief?").Chance(0.3);
    }

    /// <summary>The seed.</summary>
    public ulong Seed { get; }

    /// <summary>How many nodes are wanted.</summary>
    public int Nodes { get; }

    /// <summary>Whether Ed25519 is real in this run.</summary>
    public bool RealSignatures { get; }

    /// <summary>Whether rare things happen in the nodes' code in this run: in one of three.</summary>
    public bool Mischief { get; }

    /// <summary>What the run draws its own parameters from (links, faults, population), so that seeds differ in kind.</summary>
    public Prng Swarm { get; }

    /// <summary>A world of this run's seed. The first one; a story in chapters asks for further ones with a number. With <paramref name="mischief"/>, rare things may happen in it, with <paramref name="always"/> from every seed.</summary>
    public World NewWorld(LinkModel? link = null, int chapter = 0, bool mischief = false, bool always = false)
    {
        Close();
        var seed = chapter == 0 ? Seed : Prng.DeriveSeed(Seed, string.Create(CultureInfo.InvariantCulture, $"chapter {chapter}"));
        _world = new World(seed, link, new WorldOptions
        {
            Scenario = _scenario.Name,
            RepeatSeed = Seed,
            RealSignatures = RealSignatures,
            Mischief = mischief && (always || Mischief),
            RepeatArguments = _nodesGiven ? string.Create(CultureInfo.InvariantCulture, $"--nodes {Nodes}") : "",
        });
        _sampler?.Watch(_world, _virtual);
        _watch?.Invoke(_world);
        return _world;
    }

    /// <summary>A line of the result, and of the report if the run fails.</summary>
    public void Say(string line)
    {
        _lines.Add(line);
        _world?.Note(line);
    }

    /// <summary>A link drawn from the seed: anything from calm to dreadful, at most this lossy.</summary>
    public LinkModel DrawLink(double lossMax = 0.3) => new()
    {
        Latency = Swarm.Next(1, 60).Milliseconds,
        Spread = Swarm.Chance(0.5) ? Swarm.Next(10, 150).Milliseconds : TimeSpan.Zero,
        Jitter = Swarm.Chance(0.7) ? Swarm.Next(1, 80).Milliseconds : TimeSpan.Zero,
        JitterTail = Swarm.Chance(0.3) ? 0.8 : 0,
        Spikes = Swarm.Chance(0.2) ? Swarm.NextDouble() * 0.02 : 0,
        HeldBack = Swarm.Chance(0.2) ? Swarm.NextDouble() * 0.005 : 0,
        Loss = Swarm.Chance(0.7) ? Swarm.NextDouble() * lossMax : 0,
        BurstLoss = Swarm.Chance(0.3) ? Swarm.NextDouble() * 0.05 : 0,
        Duplication = Swarm.Chance(0.5) ? Swarm.NextDouble() * 0.1 : 0,
        Reordering = Swarm.Chance(0.5) ? Swarm.NextDouble() * 0.1 : 0,
        BitErrors = Swarm.Chance(0.3) ? Swarm.NextDouble() * 0.02 : 0,
    };

    internal ScenarioResult Finish()
    {
        Close();
        return new ScenarioResult(_scenario.Name, Seed, _trace ?? "", _virtual, _steps, _datagrams, RealSignatures, _lines) { Series = _sampler?.Series };
    }

    /// <summary>Only what is counted is kept of a world that is over: a run may make hundreds.</summary>
    private void Close()
    {
        if (_world is not { } world) return;
        world.ThrowIfFailed();
        _trace = _trace is null ? world.Trace.ToString()
            : string.Create(CultureInfo.InvariantCulture, $"{Prng.DeriveSeed(0, _trace + world.Trace):x16}{Prng.DeriveSeed(1, _trace + world.Trace):x16}");
        (_virtual, _steps, _datagrams) = (_virtual + world.Now, _steps + world.Steps, _datagrams + world.Traffic.Delivered);
        _world = null;
    }
}
