namespace Polder.Node.Operations;

/// <summary>What a node tells its owner about itself: warnings, and what to do next.</summary>
internal static class StatusWords
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public static IReadOnlyList<string> Warnings(
        string? signingRefused, string? writeFailure, string? setAside, int salvaged, string? keyExposure, long behind, long faults)
    {
        var warnings = new List<string>();
        if (writeFailure is not null) warnings.Add(writeFailure);
        if (signingRefused is not null) warnings.Add(signingRefused);
        if (setAside is not null)
            warnings.Add($"The database was damaged. It was set aside as {Path.GetFileName(setAside)}; {Blocks(salvaged)} could still be read and are here.");
        if (keyExposure is not null) warnings.Add(keyExposure);
        if (behind > 0) warnings.Add($"{behind} datagrams were dropped because this machine was too busy.");
        if (faults > 0) warnings.Add($"{faults} internal errors happened; the log has them. Please report them.");
        return warnings;
    }

    public static IReadOnlyList<string> NextSteps(
        int peersVerified, int inbox, int blocksOwn, bool loopback, bool hasJoins, TimeSpan uptime, string name, int port, string? somebody)
    {
        var steps = new List<string>();
        if (inbox > 0) steps.Add(inbox == 1 ? "One record waits for your word: polder inbox" : $"{inbox} records wait for your word: polder inbox");
        if (peersVerified == 0)
        {
            if (hasJoins && uptime < Patience) steps.Add("Wait a moment: the nodes you named are being asked who else is there.");
            else if (hasJoins) steps.Add("Nobody has answered yet. Check the address after --join, and that the other node is running.");
            else if (loopback) steps.Add($"Start a second node on this machine: polder run --loopback --data OTHER --port 0 --page 0 --join 127.0.0.1:{port}");
            else steps.Add($"Meet somebody: polder run --join HOST:PORT. Others meet you at this machine's address, port {port}.");
        }
        else if (blocksOwn == 0 && somebody is not null)
            steps.Add($"Sign your first record of help: polder record {somebody} --gave 25MB --for \"storing a file\". Your name is {name}.");
        else steps.Add("See whom you can trust, and why: polder trust");
        return steps;
    }

    private static string Blocks(int count) => count == 1 ? "one block" : $"{count} blocks";
}
