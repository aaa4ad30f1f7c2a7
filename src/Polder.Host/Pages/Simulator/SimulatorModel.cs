using Polder.Simulation.Attacks;
using Polder.Simulation.Scenarios;

namespace Polder.Host.Pages.Simulator;

/// <summary>What can be chosen on the page: a study with its numbers, or a scenario.</summary>
/// <param name="Kind">"attack", "experiment" or "scenario".</param>
/// <param name="Name">Its name; "text" for a scenario that is typed in.</param>
/// <param name="About">One sentence.</param>
/// <param name="Study">The study; null for scenarios.</param>
/// <param name="Scenario">The scenario; null for studies and for text.</param>
public sealed record SimulatorChoice(string Kind, string Name, string About, Study? Study = null, Scenario? Scenario = null)
{
    /// <summary>Its name in addresses and forms: an attack and a scenario may be called alike.</summary>
    public string Key => Scenario is null ? Name : "scenario-" + Name;

    /// <summary>Everything, in the order of the page.</summary>
    public static IReadOnlyList<SimulatorChoice> All { get; } =
    [
        .. Studies.Attacks.Select(study => new SimulatorChoice("attack", study.Name, study.About, study)),
        .. Studies.Experiments.Select(study => new SimulatorChoice("experiment", study.Name, study.About, study)),
        .. Catalogue.All.Select(scenario => new SimulatorChoice("scenario", scenario.Name, scenario.Description, Scenario: scenario)),
        new SimulatorChoice("scenario", "text", "A scenario of your own: nodes, links, faults at their times, and what must hold."),
    ];

    /// <summary>The one of this key, or the first.</summary>
    public static SimulatorChoice Find(string? key) => All.FirstOrDefault(choice => choice.Key == key) ?? All[0];

    /// <summary>A file that can be played as it is.</summary>
    public const string ExampleText = """
        about homes behind all sorts of boxes, and a bad minute
        duration 3m
        nodes 8 public
        nodes 6 port timeout=30
        nodes 2 port+sym
        link delay=15ms jitter=10ms loss=2%
        at 30s cut 50% for 20s
        at 90s crash 25% for 20s
        check caps
        check connected 3m
        """;
}

/// <param name="Choice">What the form is for.</param>
/// <param name="Form">What was typed.</param>
/// <param name="Job">What runs or ran last.</param>
public sealed record SimulatorModel(FrameModel Frame, SimulatorChoice Choice, FormState Form, JobView? Job) : IPageModel
{
    public string Title => "Simulator";
    public string Here => "lab";
    public Type Body => typeof(SimulatorPage);
    public IReadOnlyList<Type> Live { get; } = [typeof(SimulatorRun)];
}
