namespace Polder.Overlay;

/// <summary>Constants of IPv8, then ours. They are not options: changing one changes the protocol.</summary>
public static class OverlayLimits
{
    /// <summary>Old-style introduction-request.</summary>
    public const byte IntroductionRequestNumber = 246;
    /// <summary>Old-style introduction-response.</summary>
    public const byte IntroductionResponseNumber = 245;
    /// <summary>Old-style puncture-request.</summary>
    public const byte PunctureRequestNumber = 250;
    /// <summary>Old-style puncture.</summary>
    public const byte PunctureNumber = 249;
    /// <summary>New-style introduction-request.</summary>
    public const byte NewIntroductionRequestNumber = 234;
    /// <summary>New-style introduction-response.</summary>
    public const byte NewIntroductionResponseNumber = 233;
    /// <summary>New-style puncture-request.</summary>
    public const byte NewPunctureRequestNumber = 232;
    /// <summary>New-style puncture.</summary>
    public const byte NewPunctureNumber = 231;

    /// <summary>Extra bytes of a Discovery introduction-request that a py-ipv8 peer still reads rightly (21 or more are misread).</summary>
    public const int DiscoveryExtraBytesMax = 20;

    /// <summary>Addresses kept for one peer (OV-1.2).</summary>
    public const int AddressesPerPeerMax = 8;

    /// <summary>Datagrams of one peer that may be expected beyond its rate, as answers of many datagrams to questions of ours.</summary>
    public const int ExpectedMax = 256;

    /// <summary>Communities remembered for one peer.</summary>
    public const int CommunitiesPerPeerMax = 64;

    /// <summary>Whether a message id belongs to the introduction protocol and so to no community.</summary>
    public static bool IsIntroduction(byte number) => number is >= NewPunctureNumber and <= NewIntroductionRequestNumber
        or IntroductionResponseNumber or IntroductionRequestNumber or PunctureNumber or PunctureRequestNumber;
}
