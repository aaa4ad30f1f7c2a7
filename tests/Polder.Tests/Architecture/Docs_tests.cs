using System.Text.RegularExpressions;

namespace Polder.Tests.Architecture;

/// <summary>Code in docs is copied from examples that compile and run. <c>./x docs</c> copies it anew.</summary>
public sealed partial class Docs_tests
{
    [Fact]
    public void Code_in_docs_is_the_code_of_the_examples()
    {
        var accept = Environment.GetEnvironmentVariable("POLDER_ACCEPT_DOCS") == "1";
        var blocks = 0;
        foreach (var page in Directory.EnumerateFiles(Repository.PathOf("docs"), "*.md", SearchOption.AllDirectories))
        {
            var text = File.ReadAllText(page);
            var current = FromExample().Replace(text, block =>
            {
                blocks++;
                return $"{block.Groups["head"].Value}{Region(block.Groups["file"].Value, block.Groups["name"].Value)}```";
            });
            if (accept) File.WriteAllText(page, current);
            else Assert.True(text == current, $"{page} shows other code than its example. Copy it anew: ./x docs");
        }
        Assert.True(blocks > 0, "No page shows an example.");
    }

    [Fact]
    public void Links_between_pages_lead_somewhere()
    {
        var pages = Directory.EnumerateFiles(Repository.PathOf("docs"), "*.md", SearchOption.AllDirectories)
            .Concat(Directory.EnumerateFiles(Repository.Root, "*.md"));
        foreach (var page in pages)
            foreach (Match link in Link().Matches(File.ReadAllText(page)))
            {
                var target = link.Groups[1].Value.Split('#')[0];
                if (target.Length == 0 || target.Contains("://", StringComparison.Ordinal)) continue;
                var path = Path.Combine(Path.GetDirectoryName(page)!, target);
                Assert.True(File.Exists(path) || Directory.Exists(path), $"{page} links to {target}, which is not there.");
            }
    }

    private static string Region(string file, string name)
    {
        var lines = File.ReadAllLines(Repository.PathOf(file));
        var start = Array.FindIndex(lines, line => line.Trim() == $"// docs: {name}");
        var end = Array.FindIndex(lines, Math.Max(start, 0), line => line.Trim() == "// docs: end");
        Assert.True(start >= 0 && end > start, $"{file} has no region \"{name}\".");
        var region = lines[(start + 1)..end];
        var indent = region.Where(line => line.Length > 0).Min(line => line.Length - line.TrimStart().Length);
        return string.Concat(region.Select(line => (line.Length > indent ? line[indent..] : "") + "\n"));
    }

    [GeneratedRegex(@"(?<head><!-- from (?<file>\S+): (?<name>\S+) -->\n```csharp\n)(?<code>.*?)```", RegexOptions.Singleline)]
    private static partial Regex FromExample();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();
}
