using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Polder.Lab.Tests;

/// <summary>The laboratory is what its table says: every kind, as two public hosts see it by RFC 4787.</summary>
public sealed partial class Kinds_tests
{
    [Fact]
    public async Task Every_kind_is_classified_as_the_table_says()
    {
        InTheLab.Need();
        var spec = new StringBuilder("host one\nhost two\n");
        for (var i = 0; i < KindRow.All.Count; i++) spec.Append(CultureInfo.InvariantCulture, $"nat n{i} {KindRow.All[i].Kind}\nhost h{i} via=n{i}\n");
        await using var lab = await Laboratory.UpAsync(spec.ToString());
        var printed = await lab.NatlabAsync("probe");
        InTheLab.Say(printed);
        var found = printed.Split('\n', StringSplitOptions.RemoveEmptyEntries).ToDictionary(static line => line.Split(' ')[0]);
        for (var i = 0; i < KindRow.All.Count; i++) Compare(KindRow.All[i], found[$"h{i}"], lab, i);
    }

    private static void Compare(KindRow row, string line, Laboratory lab, int index)
    {
        if (row.Mapping == "blocked")
        {
            Assert.Contains("udp=blocked", line, StringComparison.Ordinal);
            return;
        }
        Assert.Contains($"mapping={row.Mapping} filtering={row.Filtering} ", line, StringComparison.Ordinal);
        Assert.True(line.Contains("keeps_port=yes", StringComparison.Ordinal) == (row.Port == "kept"), line);
        var steps = Steps().Match(line).Groups[1].Value;
        switch (row.Step)
        {
            case "0": Assert.Equal("0", steps); break;
            case "random": Assert.Contains(steps.Split(", "), static step => Math.Abs(int.Parse(step, CultureInfo.InvariantCulture)) > 16); break;
            default: Assert.All(steps.Split(", "), step => Assert.Equal(row.Step, step)); break;
        }
        var outer = Outer().Match(line).Groups[1].Value;
        Assert.Equal(row.Translates, outer != lab.Places[$"h{index}"].Address);
    }

    [GeneratedRegex(@"port_steps=\[?([^\]]*?)\]? hairpin")]
    private static partial Regex Steps();

    [GeneratedRegex(@"outer=([0-9.]+):")]
    private static partial Regex Outer();
}
