using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Polder.Tests.Architecture;

/// <summary>Keeps the arrows of docs/architecture.md (decision 0003).</summary>
public sealed partial class Architecture_tests
{
    /// <summary>What an assembly may refer to directly. A new assembly is added here and in docs/architecture.md.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Polder.Core"] = [],
        ["Polder.Overlay"] = ["Polder.Core"],
        ["Polder.Ledger"] = ["Polder.Overlay"],
        ["Polder.Graph"] = ["Polder.Core"],
        ["Polder.Apps"] = ["Polder.Ledger", "Polder.Graph"],
        ["Polder.Simulation"] = ["Polder.Apps", "Polder.Graph"],
        ["Polder.Node"] = ["Polder.Apps", "Polder.Graph"],
        ["Polder.Benchmarks"] = ["Polder.Node", "Polder.Simulation"],
        ["Polder.Host"] = ["Polder.Node", "Polder.Simulation", "Polder.Benchmarks"],
        ["Polder.Examples"] = ["Polder.Node", "Polder.Simulation"],
        ["Polder.Tests"] = ["Polder.Host", "Polder.Examples"],
        ["Polder.Interop.Tests"] = ["Polder.Node"],
        ["Polder.Lab"] = ["Polder.Node"],
        ["Polder.Lab.Tests"] = ["Polder.Lab"],
    };

    /// <summary>Code on the loop: no clock, thread or entropy of its own.</summary>
    private static readonly string[] OnTheLoop = ["Polder.Core", "Polder.Overlay", "Polder.Ledger", "Polder.Graph", "Polder.Apps", "Polder.Simulation"];

    private static IEnumerable<(string Name, XDocument Project)> Projects() =>
        new[] { "src", "tests", "bench", "examples" }
            .SelectMany(folder => Directory.EnumerateFiles(Repository.PathOf(folder), "*.csproj", SearchOption.AllDirectories))
            .Select(file => (Path.GetFileNameWithoutExtension(file), XDocument.Load(file)));

    [Fact]
    public void References_go_only_down()
    {
        foreach (var (name, project) in Projects())
        {
            Assert.True(Allowed.TryGetValue(name, out var allowed), $"{name} is not in the table of this test.");
            var references = project.Descendants("ProjectReference")
                .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/')));
            Assert.All(references, reference => Assert.True(allowed.Contains(reference), $"{name} may not refer to {reference}."));
        }
    }

    [Fact]
    public void Code_on_the_loop_carries_the_banned_API_list()
    {
        foreach (var (name, project) in Projects())
            Assert.Equal(OnTheLoop.Contains(name), project.Descendants("RunsOnLoop").Any(element => element.Value == "true"));
        Assert.Contains("RunsOnLoop", File.ReadAllText(Repository.PathOf("Directory.Build.targets")), StringComparison.Ordinal);
    }

    [Fact]
    public void Sockets_files_threads_and_databases_appear_only_in_the_node_and_above()
    {
        string[] namespaces = ["System.Net.Sockets", "Microsoft.Data.Sqlite", "SQLitePCL", "Microsoft.AspNetCore", "System.IO.Pipes"];
        foreach (var assembly in OnTheLoop)
            foreach (var file in Repository.Sources($"src/{assembly}"))
            {
                // AddressFamily, which Endpoint needs to read an address, lives beside the sockets.
                if (Path.GetFileName(file) == "Endpoint.cs") continue;
                var text = File.ReadAllText(file);
                Assert.All(namespaces, name => Assert.False(text.Contains($"using {name}", StringComparison.Ordinal), $"{file} uses {name}."));
            }
    }

    [Fact]
    public void Namespaces_follow_assemblies()
    {
        foreach (var (name, _) in Projects().Where(project => project.Name.StartsWith("Polder.", StringComparison.Ordinal)))
        {
            var folder = Directory.EnumerateFiles(Repository.Root, $"{name}.csproj", SearchOption.AllDirectories).Single();
            var root = name == "Polder.Core" ? "Polder" : name == "Polder.Interop.Tests" ? "Polder.Interop" : name;
            foreach (var file in Repository.Sources(Path.GetDirectoryName(Path.GetRelativePath(Repository.Root, folder))!))
                foreach (Match match in NamespaceLine().Matches(File.ReadAllText(file)))
                    Assert.StartsWith(root, match.Groups[1].Value, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void No_file_names_a_registry_or_a_path_of_one_machine()
    {
        string[] words = ["api.nuget" + ".org", "registry.npmjs" + ".org", "deb.debian" + ".org", "/work" + "/"];
        foreach (var folder in new[] { "src", "tests", "bench", "examples", "docs", "eng", ".ci" })
            foreach (var file in Directory.EnumerateFiles(Repository.PathOf(folder), "*", SearchOption.AllDirectories))
            {
                if (file.Contains("/obj/", StringComparison.Ordinal) || file.Contains("/bin/", StringComparison.Ordinal)) continue;
                if (Path.GetExtension(file) is not (".cs" or ".razor" or ".md" or ".sh" or ".py" or ".props" or ".targets" or ".csproj" or "")) continue;
                var text = File.ReadAllText(file);
                Assert.All(words, word => Assert.False(text.Contains(word, StringComparison.Ordinal), $"{file} contains {word}"));
            }
    }

    [GeneratedRegex(@"^namespace ([\w.]+)", RegexOptions.Multiline)]
    private static partial Regex NamespaceLine();
}
