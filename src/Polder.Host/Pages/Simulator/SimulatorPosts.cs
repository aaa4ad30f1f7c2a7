using System.Globalization;
using System.Security.Cryptography;
using Polder.Simulation.Attacks;
using Polder.Simulation.Scenarios;

namespace Polder.Host.Pages.Simulator;

/// <summary>What the form of the simulator asks for, within what a page may ask for.</summary>
internal static class SimulatorPosts
{
    /// <summary>Fields of the form.</summary>
    public static readonly string[] Fields = ["study", "variant", "peers", "max", "stop", "seed", "nodes", "text"];

    /// <summary>Starts what was asked for; what is wrong goes to the field where it is ("all" for none).</summary>
    public static Dictionary<string, string> Start(SimulationJobs jobs, IReadOnlyDictionary<string, string> values)
    {
        var errors = new Dictionary<string, string>();
        var choice = SimulatorChoice.Find(values["study"]);
        var seed = Seed(values["seed"], errors);
        if (choice.Study is { } study)
        {
            var settings = new StudySettings(seed)
            {
                Variant = values["variant"].Length == 0 ? null : values["variant"], Peers = Whole(values, "peers", errors), Max = Whole(values, "max", errors), Stop = Part(values, errors),
            };
            if (settings.Peers > SimulationJobs.PeersMax) errors["peers"] = $"At most {SimulationJobs.PeersMax} on a page; a terminal takes more.";
            if (errors.Count == 0 && study.Complaint(settings) is { } complaint) errors[complaint.Field] = complaint.Message;
            if (errors.Count == 0 && !jobs.TryStart(choice.Kind, study, settings)) errors["all"] = Busy;
            return errors;
        }
        var nodes = choice.Name == "text" ? null : Whole(values, "nodes", errors);
        if (nodes is < 2 or > SimulationJobs.NodesMax) errors["nodes"] = $"2 to {SimulationJobs.NodesMax} on a page; a terminal takes more.";
        var scenario = choice.Scenario ?? Read(values["text"], errors);
        if (errors.Count == 0 && !jobs.TryStart(scenario!, seed, nodes)) errors["all"] = Busy;
        return errors;
    }

    private const string Busy = "Something is being played already. Wait for it, or stop it below.";

    private static Scenario? Read(string text, Dictionary<string, string> errors)
    {
        var scenario = ScenarioFile.TryRead("scenario.txt", text, out var error);
        if (error is not null) errors["text"] = error.ToString() is { Length: > 0 } words ? char.ToUpperInvariant(words[0]) + words[1..] + "." : "";
        else if (scenario!.NodesDefault > SimulationJobs.NodesMax) errors["text"] = $"{scenario.NodesDefault} nodes; a page plays at most {SimulationJobs.NodesMax}, a terminal more.";
        else if (scenario.NodesDefault * (scenario.Length?.TotalMinutes ?? 0) is > SimulationJobs.NodeMinutesMax and var work)
            errors["text"] = string.Create(CultureInfo.InvariantCulture, $"{work:#,0} nodes × minutes; a page plays at most {SimulationJobs.NodeMinutesMax:#,0}, a terminal more.");
        return scenario;
    }

    private static ulong Seed(string text, Dictionary<string, string> errors)
    {
        if (text.Length == 0) return (ulong)RandomNumberGenerator.GetInt32(int.MaxValue);
        if (!ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seed)) errors["seed"] = "A seed is a whole number.";
        return seed;
    }

    private static int? Whole(IReadOnlyDictionary<string, string> values, string field, Dictionary<string, string> errors)
    {
        if (values[field].Length == 0) return null;
        if (int.TryParse(values[field], NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return number;
        errors[field] = "This is not a whole number.";
        return null;
    }

    private static double? Part(IReadOnlyDictionary<string, string> values, Dictionary<string, string> errors)
    {
        var text = values["stop"].Replace(',', '.');
        if (text.Length == 0) return null;
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)) return number;
        errors["stop"] = "This is not a number. Write for example 0.4.";
        return null;
    }
}
