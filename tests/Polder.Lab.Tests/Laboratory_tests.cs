using System.Diagnostics;

namespace Polder.Lab.Tests;

/// <summary>The laboratory leaves nothing behind and lets nothing out.</summary>
public sealed class Laboratory_tests
{
    [Fact]
    public async Task What_was_built_is_gone_after_it_with_everything_that_ran_in_it()
    {
        InTheLab.Need();
        LabProcess agent;
        string name;
        await using (var lab = await Laboratory.UpAsync("host one\nnat home port\nhost two via=home\n"))
        {
            name = lab.Name;
            agent = lab.StartAgent("two");
            await agent.ExpectAsync("", "agent", InTheLab.Seconds(60));
            Assert.Equal("port", lab.Places["home"].Kind);
        }
        Assert.DoesNotContain(Namespaces(), space => space.StartsWith(name + '-', StringComparison.Ordinal));
        Assert.Throws<InvalidOperationException>(() => _ = agent.ProcessId);
    }

    [Fact]
    public async Task No_host_has_a_way_out()
    {
        InTheLab.Need();
        await using var lab = await Laboratory.UpAsync("host one\nnat home full\nhost two via=home\n");
        // Every device of the public side leads to a host of the lab, and none to the machine.
        var devices = await lab.ExecAsync("net", "ip", "-o", "link");
        Assert.All(devices.Split('\n', StringSplitOptions.RemoveEmptyEntries), static line =>
            Assert.True(line.Contains(": lo", StringComparison.Ordinal) || line.Contains(": lan", StringComparison.Ordinal) || line.Contains("master lan", StringComparison.Ordinal), line));
    }

    [Fact]
    public async Task A_laboratory_that_natlab_refuses_says_why_and_leaves_nothing()
    {
        InTheLab.Need();
        var problem = await Assert.ThrowsAsync<InvalidOperationException>(() => Laboratory.UpAsync("nat home nosuchkind\n"));
        Assert.Contains("nosuchkind", problem.Message, StringComparison.Ordinal);
    }

    private static string[] Namespaces()
    {
        using var list = Process.Start(new ProcessStartInfo("ip", ["netns"]) { RedirectStandardOutput = true })!;
        return [.. list.StandardOutput.ReadToEnd().Split('\n').Select(static line => line.Split(' ')[0])];
    }
}
