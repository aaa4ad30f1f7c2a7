using Polder.Overlay.Nat;

namespace Polder.Overlay.Connecting;

/// <summary>Why two nodes are connected as they are, and what would help, for people who do not know what a NAT is. A rule.</summary>
internal static class Advice
{
    public static string Why(PathOrigin? origin, NatClass own, NatClass? other) => origin switch
    {
        PathOrigin.Direct => "It can be written to from anywhere.",
        PathOrigin.Incoming => "It wrote to us first.",
        PathOrigin.Reverse => "We can be written to from anywhere, so it was asked to write to us.",
        PathOrigin.Simultaneous => "Both routers only let in whom we wrote to first, so both wrote at the same moment.",
        PathOrigin.Predicted => "One router gives each new destination the next port; the port was guessed.",
        PathOrigin.Birthday => "One router gives each destination a random port; many attempts met one of many open ports.",
        PathOrigin.Lan => "It is in our own network.",
        PathOrigin.Hairpin => "It is behind the same router, which lets us out and in again.",
        PathOrigin.Relayed => $"{Router("Our", own)} {(other is { } known ? Router("Its", known) : "")}".TrimEnd(),
        _ => "",
    };

    public static string WouldImprove(PathOrigin? origin, NatClass own, NatClass? other)
    {
        if (origin is not PathOrigin.Relayed) return "";
        if (own == NatClass.Blocked) return "Our network lets no UDP through: another network, or a rule in its firewall for UDP.";
        if (other == NatClass.Blocked) return "Its network lets no UDP through: another network there.";
        if (own.IsReachable() || other?.IsReachable() == true) return "Nothing should be needed: a direct way is tried again.";
        return own.HasOnePort() && other?.HasOnePort() != false
            ? "A direct way is tried again; if it stays so, allow port mapping (UPnP, NAT-PMP or PCP) in one of the routers."
            : "Allow port mapping (UPnP, NAT-PMP or PCP) in one of the two routers, or forward the node's UDP port there by hand; or use IPv6 on both sides.";
    }

    private static string Router(string whose, NatClass value) => value switch
    {
        NatClass.Open => $"{whose} side has a public address.",
        NatClass.Full => $"{whose} router lets strangers in.",
        NatClass.Filtered => $"{whose} router lets in only those to whom we wrote before.".Replace("we wrote", whose == "Our" ? "we wrote" : "it wrote", StringComparison.Ordinal),
        NatClass.Sequential => $"{whose} router gives each destination another port, counting up.",
        NatClass.Random => $"{whose} router gives each destination a random port.",
        NatClass.Pool => $"{whose} network uses several outer addresses.",
        NatClass.Blocked => $"{whose} network lets no UDP through.",
        _ => $"{whose} router is not known yet.",
    };
}
