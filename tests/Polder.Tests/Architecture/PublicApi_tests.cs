using System.Reflection;
using System.Text;

namespace Polder.Tests.Architecture;

/// <summary>
/// The public surface of each library is written down in <c>tests/Polder.Tests/Architecture/PublicApi/</c>; a change there is
/// reviewed as API. <c>POLDER_ACCEPT_API=1 ./x test PublicApi</c> writes the files anew.
/// </summary>
public sealed class PublicApi_tests
{
    public static TheoryData<string> Libraries => ["Polder.Core", "Polder.Overlay", "Polder.Ledger", "Polder.Graph", "Polder.Apps", "Polder.Simulation", "Polder.Node"];

    [Theory, MemberData(nameof(Libraries))]
    public void The_public_surface_is_the_one_written_down(string library)
    {
        var file = Repository.PathOf("tests", "Polder.Tests", "Architecture", "PublicApi", library + ".txt");
        var surface = Surface(Assembly.Load(library));
        if (Environment.GetEnvironmentVariable("POLDER_ACCEPT_API") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, surface);
        }
        var written = File.Exists(file) ? File.ReadAllText(file) : "";
        if (written == surface) return;
        var before = written.Split('\n').ToHashSet();
        var after = surface.Split('\n').ToHashSet();
        Assert.Fail($"The public API of {library} changed. If that is meant: POLDER_ACCEPT_API=1 ./x test PublicApi\n"
            + string.Join('\n', before.Except(after).Select(line => "- " + line).Concat(after.Except(before).Select(line => "+ " + line)).Take(40)));
    }

    private static string Surface(Assembly assembly)
    {
        var text = new StringBuilder();
        foreach (var type in assembly.GetExportedTypes().OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            text.Append(Kind(type)).Append(' ').Append(Name(type)).Append('\n');
            const BindingFlags declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
            var members = type.GetMembers(declared).Select(Describe).Where(line => line is not null).Order(StringComparer.Ordinal);
            foreach (var line in members.Distinct()) text.Append("    ").Append(line).Append('\n');
        }
        return text.ToString();
    }

    private static string Kind(Type type) =>
        type.IsEnum ? "enum" : type.IsInterface ? "interface" : typeof(Delegate).IsAssignableFrom(type) ? "delegate"
        : type.IsValueType ? "struct" : type is { IsAbstract: true, IsSealed: true } ? "static class" : type.IsAbstract ? "abstract class"
        : type.IsSealed ? "class" : "open class";

    // What records and enums generate says nothing about the design.
    private static readonly string[] Generated =
        ["Equals", "GetHashCode", "ToString", "Deconstruct", "op_Equality", "op_Inequality", "PrintMembers", "<Clone>$", "EqualityContract", "value__"];

    private static string? Describe(MemberInfo member) => Generated.Contains(member.Name) ? null : member switch
    {
        FieldInfo { IsPublic: true } or FieldInfo { IsFamily: true } => $"{member.Name} : {Name(((FieldInfo)member).FieldType)}",
        PropertyInfo property when Visible(property.GetMethod) =>
            $"{property.Name} : {Name(property.PropertyType)}{(Visible(property.SetMethod) ? " {set}" : "")}",
        ConstructorInfo constructor when Visible(constructor) => $"new({Parameters(constructor)})",
        MethodInfo { IsSpecialName: false } method when Visible(method) => $"{method.Name}({Parameters(method)}) : {Name(method.ReturnType)}",
        EventInfo happening when Visible(happening.AddMethod) => $"event {happening.Name}",
        _ => null,
    };

    private static bool Visible(MethodBase? method) => method is { IsPublic: true } or { IsFamily: true } or { IsFamilyOrAssembly: true };

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(parameter => Name(parameter.ParameterType)));

    private static string Name(Type type) =>
        type.IsGenericType
            ? $"{type.FullName?.Split('`')[0] ?? type.Name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>"
            : type.Namespace?.StartsWith("System", StringComparison.Ordinal) == true ? type.Name : type.FullName ?? type.Name;
}
