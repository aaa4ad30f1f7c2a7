using System.Globalization;
using Polder.Host.Commands.Worlds;
using Polder.Host.Pages.Simulator;
using Polder.Node.Operations;

namespace Polder.Host.Api;

/// <summary>Body of POST /api/simulation: the fields of the page's form.</summary>
internal sealed record SimulationBody(string? Study, string? Variant, int? Peers, int? Max, double? Stop, ulong? Seed, int? Nodes, string? Text);

/// <summary>What the simulator of a running node does, or did last.</summary>
/// <param name="Number">Rises with every job; 0 before the first.</param>
/// <param name="Study">What a study found.</param>
/// <param name="Scenario">What a scenario came to.</param>
internal sealed record SimulationView(
    long Number, string Title, bool Running, string Doing, double Seconds, string? Problem, string Repeat, StudyView? Study, SimView? Scenario)
{
    public static SimulationView Of(JobView? job) => job is null ? new(0, "", false, "", 0, null, "", null, null)
        : new(job.Number, job.Title, job.IsRunning, job.Doing, job.Seconds, job.Problem, job.Repeat,
            job.Outcome is StudyOutcome study ? StudyView.Of(study.Kind, study.Report) : null,
            job.Outcome is ScenarioOutcome { Result: var run } ? new SimView(run.Scenario, run.Seed, true, run.Trace, run.Virtual.TotalSeconds, run.Steps, run.Datagrams, job.Seconds,
                run.RealSignatures, run.Lines, job.Repeat) : null);
}

/// <summary>The simulator over the local API: one job at a time, as small as the page's.</summary>
internal static class SimulationApi
{
    /// <summary>Adds the routes.</summary>
    public static void Map(WebApplication application)
    {
        var (json, jobs) = (HostJson.Default, application.Services.GetRequiredService<SimulationJobs>());
        NodeApi.MapGet(application, "simulation", json.SimulationView, (_, _) => Task.FromResult(SimulationView.Of(jobs.Current)));
        NodeApi.MapPost(application, "simulation", json.SimulationBody, json.SimulationView, (body, _) =>
        {
            var values = new Dictionary<string, string>
            {
                ["study"] = body.Study ?? "", ["variant"] = body.Variant ?? "", ["peers"] = Text(body.Peers), ["max"] = Text(body.Max), ["stop"] = Text(body.Stop), ["seed"] = Text(body.Seed),
                ["nodes"] = Text(body.Nodes), ["text"] = body.Text ?? "",
            };
            if (SimulatorChoice.All.All(choice => choice.Key != body.Study))
                throw new OperationRefusedException(RefusalKind.BadInput, $"\"study\" is one of {string.Join(", ", SimulatorChoice.All.Select(choice => choice.Key))}.");
            var errors = SimulatorPosts.Start(jobs, values);
            if (errors.TryGetValue("all", out var busy)) throw new OperationRefusedException(RefusalKind.Conflict, busy);
            if (errors.Count > 0) throw new OperationRefusedException(RefusalKind.BadInput, string.Join(" ", errors.Select(error => $"\"{error.Key}\": {error.Value}")));
            return Task.FromResult(SimulationView.Of(jobs.Current));
        });

        static string Text(IFormattable? value) => value?.ToString(null, CultureInfo.InvariantCulture) ?? "";
    }
}
