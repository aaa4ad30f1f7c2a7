using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Polder.Simulation;

/// <summary>
/// NAT boxes by the names that natlab gives them (tests/natlab/natlab.md): "port", "sym", and "port+sym" for a home's box behind a
/// carrier's. A test holds both against one table.
/// </summary>
public static class NatKinds
{
    private const ushort SequentialFirst = 20_000, SequentialLast = 28_191;
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(60);

    /// <summary>The kinds, weakest first.</summary>
    public static IReadOnlyList<string> Names { get; } = ["full", "addr", "port", "portrnd", "adm", "sym", "symseq", "fw", "udpblock"];

    /// <summary>What the box of this name does; null for a name that is none.</summary>
    public static NatBehaviour? Find(string name) => name switch
    {
        "full" => Make(NatDependence.EndpointIndependent, NatDependence.EndpointIndependent),
        "addr" => Make(NatDependence.EndpointIndependent, NatDependence.AddressDependent),
        "port" => Make(NatDependence.EndpointIndependent, NatDependence.AddressAndPortDependent),
        "portrnd" => Make(NatDependence.EndpointIndependent, NatDependence.AddressAndPortDependent) with { Ports = NatPorts.Random },
        "adm" => Make(NatDependence.AddressDependent, NatDependence.AddressAndPortDependent) with { Ports = NatPorts.Random },
        "sym" => Make(NatDependence.AddressAndPortDependent, NatDependence.AddressAndPortDependent) with { Ports = NatPorts.Random },
        "symseq" => Make(NatDependence.AddressAndPortDependent, NatDependence.AddressAndPortDependent) with
        {
            Ports = NatPorts.Sequential, PortFirst = SequentialFirst, PortLast = SequentialLast,
        },
        "fw" => Make(NatDependence.EndpointIndependent, NatDependence.AddressAndPortDependent) with { Translates = false },
        "udpblock" => Make(NatDependence.EndpointIndependent, NatDependence.AddressAndPortDependent) with { PassesUdp = false },
        _ => null,
    };

    /// <summary>
    /// A home behind boxes of these kinds, as natlab's specification writes them: <c>public</c>, <c>port</c>, <c>port+sym</c>, then any of
    /// <c>timeout=20 hairpin=1 reject=1 range=20000-20511 flows=64</c>; range and flows belong to the carrier where there is one.
    /// The error says what was not understood.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<string> words, [NotNullWhen(true)] out Home? home, [NotNullWhen(false)] out string? error)
    {
        (home, error) = (null, null);
        if (words is []) error = "a NAT kind is missing";
        else if (words is ["public", ..]) home = Home.Public;
        if (home is not null || error is not null)
        {
            if (error is null && words.Length > 1) error = $"\"{words[1]}\": a public host has no box with options";
            if (error is not null) home = null;
            return home is not null;
        }
        var names = words[0].Split('+');
        var boxes = new NatBehaviour[names.Length];
        if (names.Length > 2) error = $"\"{words[0]}\": at most two boxes stand behind each other";
        for (var i = 0; i < names.Length && error is null; i++)
            if (Find(names[i]) is { } box) boxes[i] = box;
            else error = $"\"{names[i]}\" is no NAT kind; there are: public, {string.Join(", ", Names)}, and HOME+CARRIER";
        foreach (var word in words[1..])
        {
            if (error is not null) break;
            var outermost = boxes.Length - 1;
            switch (word.Split('=', 2))
            {
                case ["timeout", var text] when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds is > 0 and < 86_400:
                    for (var i = 0; i < boxes.Length; i++) boxes[i] = boxes[i] with { Lifetime = TimeSpan.FromSeconds(seconds) };
                    break;
                case ["hairpin", "0" or "1"]: boxes[0] = boxes[0] with { Hairpin = word[^1] == '1' }; break;
                case ["reject", "0" or "1"]: boxes[0] = boxes[0] with { Rejects = word[^1] == '1' }; break;
                case ["flows", var text] when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var flows) && flows > 0:
                    boxes[outermost] = boxes[outermost] with { FlowsMax = flows };
                    break;
                case ["range", var text] when TryReadRange(text, out var first, out var last):
                    boxes[outermost] = boxes[outermost] with { PortFirst = first, PortLast = last };
                    break;
                default:
                    error = $"\"{word}\" is not understood; there are: timeout=SECONDS hairpin=0|1 reject=0|1 range=LOW-HIGH flows=N";
                    break;
            }
        }
        if (error is null) home = boxes.Length == 1 ? Home.Behind(boxes[0]) : Home.Behind(boxes[0], boxes[1]);
        return home is not null;
    }

    private static bool TryReadRange(string text, out ushort first, out ushort last)
    {
        last = 0;
        var dash = text.IndexOf('-', StringComparison.Ordinal);
        return ushort.TryParse(dash < 0 ? "" : text[..dash], NumberStyles.None, CultureInfo.InvariantCulture, out first)
            && ushort.TryParse(text.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out last) && first >= 1 && last >= first;
    }

    private static NatBehaviour Make(NatDependence mapping, NatDependence filtering) => new(mapping, filtering) { Lifetime = Lifetime };
}
