using Polder.Overlay.Connecting;
using Polder.Overlay.Nat;

namespace Polder.Node.Operations;

/// <summary>What a node's place in the network means, for a person who does not know what a NAT is. Rules only.</summary>
internal static class DoctorWords
{
    public static string Headline(SelfView view, bool loopback, int connected) => loopback
        ? "This node stays on this machine."
        : view.Class switch
        {
            NatClass.Open => "Everybody can reach this node.",
            NatClass.Full => "Everybody can reach this node through your router.",
            NatClass.Filtered => "Others reach this node with a little help.",
            NatClass.Sequential or NatClass.Random or NatClass.Pool => "Your router makes it hard to reach this node.",
            NatClass.Blocked => "Your network lets nothing of this node through.",
            _ => connected == 0 ? "Nobody has answered yet." : "Not enough others have told yet.",
        };

    public static string Explanation(SelfView view, bool loopback) => loopback
        ? "It was started with --loopback: it speaks to other nodes of this machine only, and no router has a part in it."
        : view.Class switch
        {
            NatClass.Open => "It has a public address of its own, and somebody it never wrote to got through. It can help others who are less lucky.",
            NatClass.Full => "Your router keeps one address for it and lets in whoever writes there. It can help others who are less lucky.",
            NatClass.Filtered =>
                "Your router keeps one address for it, and lets in only those it has written to. So two nodes that want to meet write at the same moment, and a common neighbour says when.",
            NatClass.Sequential =>
                "Your router gives it another port for everybody it writes to, counting up. Others have to guess the next one, which mostly works; where it does not, another peer relays.",
            NatClass.Random or NatClass.Pool =>
                "Your router gives it another, random port for everybody it writes to, so nobody knows where to write. Many attempts at once often get through; where they do not, another peer relays. It sees how much passes, never what.",
            NatClass.Blocked => "The network is up, but nothing that this node sends over UDP is answered. Offices and guest networks often block it.",
            _ => "Every peer tells where it sees this node. Three in different parts of the network have to agree before that says something about your router; until then, the usual home router is assumed.",
        };

    public static IReadOnlyList<string> Improvements(SelfView view, bool loopback, bool portMapping, int connected)
    {
        var steps = new List<string>();
        if (loopback) return steps;
        switch (view.Class)
        {
            case NatClass.Open or NatClass.Full:
                break;
            case NatClass.Unknown when connected == 0:
                steps.Add("Give it one address that answers, or an invitation from somebody: polder join HOST:PORT, or polder join peer:…");
                break;
            case NatClass.Unknown:
                steps.Add("Wait a little, or meet more peers: those in other networks count most.");
                break;
            case NatClass.Blocked:
                steps.Add("Ask whoever runs the network to let UDP out, or use another network.");
                break;
            default:
                if (view.Mapped is null && portMapping)
                    steps.Add("Switch on UPnP, NAT-PMP or PCP in your router's settings: then everybody reaches this node, and it can help others.");
                if (view.Mapped is null)
                    steps.Add($"Or forward UDP port {view.Local.Port} in your router to this machine, by hand.");
                if (view.Mapped is { IsBehindTwo: true })
                    steps.Add("A second router, your provider's, stands before yours. Ask the provider for a public address, or for IPv6.");
                if (view.Class is NatClass.Sequential or NatClass.Random or NatClass.Pool)
                    steps.Add("Where your provider offers IPv6, switch it on: there each machine has an address of its own.");
                break;
        }
        return steps;
    }

    public static string DialBack(SelfView view) => view.DialBack switch
    {
        DialBackState.GotThrough => "A stranger wrote to this node and got through.",
        DialBackState.DidNotGetThrough => "A stranger wrote to this node and did not get through.",
        DialBackState.NobodyToAsk => "Nobody is there who could try; it takes two peers that know each other.",
        _ => "Nobody has tried yet.",
    };

    /// <summary>What came of asking the router for a port.</summary>
    public static string PortMapping(SelfView view, bool asked, string? trouble) => view.Mapped switch
    {
        { IsBehindTwo: true, How: var how } => $"The router gave a port by {how}, but a second router stands before it: of no use from outside.",
        { IsConfirmed: true, How: var how, External: var external } => $"The router passes {external} on to this node ({how}), and somebody got through.",
        { How: var how, External: var external } => $"The router says that it passes {external} on to this node ({how}); nobody has tried it yet.",
        null => trouble ?? (asked ? "Asked for; the router has not answered yet." : "Not asked for."),
    };

    /// <summary>The path in one word.</summary>
    public static string Path(PathOrigin? origin) => origin switch
    {
        PathOrigin.Lan => "LAN",
        null => "none",
        { } known => known.ToString().ToLowerInvariant(),
    };
}
