using System.Globalization;
using Polder.Apps.Bundles;

namespace Polder.Simulation.Scenarios;

/// <summary>
/// People who are rarely awake and rarely meet write to each other; the same people, meetings and faults once without carriers, once with friends, once
/// with strangers, too; some carriers are hostile. Nothing is lost or doubled, what others hold stays small, and the curves show what carrying is worth.
/// </summary>
internal static class CarryScenario
{
    public static Scenario Scenario { get; } = new(
        "carry", "People meet rarely; friends and strangers carry their letters, some of them hostile: nothing is lost or doubled, storage is bounded; delivery curves.",
        [1, 2, 3], 12, Play);

    private static void Play(ScenarioRun run)
    {
        foreach (var (chapter, name, options) in new[]
        {
            (0, "direct only", new MailOptions { Copies = 0, UsesStrangers = false, CarriesForStrangers = false }),
            (1, "friends carry", new MailOptions { UsesStrangers = false, CarriesForStrangers = false }),
            (2, "strangers, too", new MailOptions()),
        })
        {
            var link = new LinkModel { Latency = 20.Milliseconds, Jitter = 30.Milliseconds, Loss = run.Seed % 3 * 0.05, Duplication = 0.02 };
            var world = new CarryWorld(run.NewWorld(link, chapter), run.Seed, run.Nodes, options);
            world.Play();
            run.Say(string.Create(CultureInfo.InvariantCulture, $"{name,-14} {world.Curve}; {world.Letters} letters, others held at most {world.HeldMost / 1024.0:0.#} KB a person, {world.GivenBytes / 1024.0:0} KB went over"));
        }
    }
}
