using System.Diagnostics;
using System.Globalization;
using Polder.Host.Commands.Worlds;
using Polder.Simulation;
using Polder.Simulation.Attacks;
using Polder.Simulation.Scenarios;

namespace Polder.Host.Pages.Simulator;

/// <summary>What the simulator of the page is doing, or did last.</summary>
/// <param name="Number">Rises with every job.</param>
/// <param name="Title">What it plays.</param>
/// <param name="Doing">What it is at, in words.</param>
/// <param name="Seconds">How long it has run, or took.</param>
/// <param name="IsRunning">Whether it still runs.</param>
/// <param name="Outcome">A <see cref="StudyOutcome"/> or a <see cref="ScenarioOutcome"/>, when it has come to one.</param>
/// <param name="Problem">Why it came to none; several lines for what a scenario found.</param>
/// <param name="Repeat">The command that does the same.</param>
public sealed record JobView(long Number, string Title, string Doing, double Seconds, bool IsRunning, object? Outcome, string? Problem, string Repeat);

/// <summary>
/// Plays one study or scenario at a time on a thread of its own, below everything else, and stops it after a while: a page may
/// ask for a simulation, and may not keep the node from its work.
/// </summary>
internal sealed class SimulationJobs : IDisposable
{
    /// <summary>Most honest peers of a study that a page may ask for.</summary>
    public const int PeersMax = 300;
    /// <summary>Most nodes of a scenario.</summary>
    public const int NodesMax = 200;
    /// <summary>Most nodes times virtual minutes of a scenario, where its length is known.</summary>
    public const int NodeMinutesMax = 3_000;
    /// <summary>What runs longer is stopped.</summary>
    public static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(60);

    private readonly Lock _gate = new();
    private Job? _job;
    private long _number;

    /// <summary>The one that runs, or the last one; null before the first.</summary>
    public JobView? Current { get { lock (_gate) return _job?.View(); } }

    /// <summary>Plays a study. False while something else is played.</summary>
    public bool TryStart(string kind, Study study, StudySettings settings) => TryStart(StudyPlots.TitleOf(kind, study.Name), $"polder sim {kind} {study.Name}{settings.Arguments()}",
        (say, stop) => new StudyOutcome(kind, study.Run(settings, say, stop)));

    /// <summary>Plays a scenario. False while something else is played.</summary>
    public bool TryStart(Scenario scenario, ulong seed, int? nodes)
    {
        var repeat = string.Create(CultureInfo.InvariantCulture, $"polder sim {scenario.Name} --seed {seed}{(nodes is { } n ? $" --nodes {n}" : "")}");
        return TryStart($"Scenario: {scenario.Name}", repeat, (say, stop) =>
        {
            var result = scenario.Run(seed, nodes, sampleEvery: LaboratoryCommands.SampleInterval, watch: world =>
            {
                world.Cancellation = stop;
                world.Every(TimeSpan.FromSeconds(10), () => say(string.Create(CultureInfo.InvariantCulture, $"{world.Now.TotalMinutes:0.0} virtual minutes, {world.Steps} steps")));
            });
            return new ScenarioOutcome(result, repeat);
        });
    }

    /// <summary>Ends the one that runs.</summary>
    public void Stop()
    {
        lock (_gate) _job?.End.Cancel();
    }

    /// <summary>Waits until nothing runs, at most so long.</summary>
    public async Task<bool> WaitAsync(TimeSpan patience)
    {
        Task done;
        lock (_gate) done = _job?.Done.Task ?? Task.CompletedTask;
        return await Task.WhenAny(done, Task.Delay(patience)).ConfigureAwait(false) == done;
    }

    /// <inheritdoc/>
    public void Dispose() => Stop();

    private bool TryStart(string title, string repeat, Func<Action<string>, CancellationToken, object> play)
    {
        Job job;
        lock (_gate)
        {
            if (_job is { Done.Task.IsCompleted: false }) return false;
            _job?.End.Dispose();
            _job = job = new Job(++_number, title, repeat);
        }
        new Thread(() => Run(job, play)) { IsBackground = true, Priority = ThreadPriority.BelowNormal, Name = "simulator of the page" }.Start();
        return true;
    }

    private static void Run(Job job, Func<Action<string>, CancellationToken, object> play)
    {
        job.End.CancelAfter(TimeMax);
        try { job.Outcome = play(text => Volatile.Write(ref job.Doing, text), job.End.Token); }
        catch (OperationCanceledException)
        {
            job.Problem = job.Clock.Elapsed >= TimeMax
                ? $"Stopped after {TimeMax.TotalSeconds:0} seconds, so that this node keeps its time for others. In a terminal it may take as long as it likes." : "Stopped.";
        }
        catch (SimulationFailedException failure) { job.Problem = failure.Message; }
        catch (Exception problem)
        {
            job.Problem = $"This is a fault of the program. What happened is in {CrashReport.Write(problem, "the simulator of the page")}; please send it to the authors.";
        }
        job.Clock.Stop();
        job.Done.SetResult();
    }

    private sealed class Job(long number, string title, string repeat)
    {
        public string Doing = "";

        public Stopwatch Clock { get; } = Stopwatch.StartNew();
        public CancellationTokenSource End { get; } = new();
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public object? Outcome { get; set; }
        public string? Problem { get; set; }

        public JobView View()
        {
            var running = !Done.Task.IsCompleted;
            return new JobView(number, title, Volatile.Read(ref Doing), Clock.Elapsed.TotalSeconds, running, running ? null : Outcome, running ? null : Problem, repeat);
        }
    }
}
