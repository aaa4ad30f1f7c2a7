using Polder.Node.Operations;

namespace Polder.Host.Api;

/// <summary>The routes of <see cref="INetworkOperations"/> (docs/api.md).</summary>
internal static class NetworkApi
{
    /// <summary>Longest life of an invitation or record that a request may ask for, in hours.</summary>
    public const double HoursMax = 24 * 30;

    /// <summary>Adds the routes.</summary>
    public static void Map(WebApplication application, INetworkOperations network)
    {
        var json = HostJson.Default;

        NodeApi.MapGet(application, "doctor", json.DoctorView, (_, stop) => network.DoctorAsync(stop));
        NodeApi.MapGet(application, "dht/get", json.DhtAnswer, (query, stop) => network.DhtGetAsync(NodeApi.Needed(query, "key"), stop));
        NodeApi.MapGet(application, "dht/find", json.DhtNodes, (query, stop) => network.DhtFindAsync(NodeApi.Needed(query, "key"), stop));
        NodeApi.MapGet(application, "tags", json.IReadOnlyListTagView, (_, stop) => network.TagsAsync(stop));
        NodeApi.MapGet(application, "bundle", json.BundleBody, async (_, stop) => new BundleBody(await network.ExportPeersAsync(stop).ConfigureAwait(false)));

        NodeApi.MapPost(application, "connect", json.PeerBody, json.ConnectionView, (body, stop) => network.ConnectAsync(Text(body.Peer, "peer"), stop));
        NodeApi.MapPost(application, "invitations", json.InviteBody, json.InvitationView, (body, stop) =>
            network.InviteAsync(Hours(body.Hours, 24 * 7), stop));
        NodeApi.MapPost(application, "invitations/accept", json.TextBody, json.ContactView, (body, stop) =>
            network.AcceptInvitationAsync(Text(body.Text, "text"), stop));
        NodeApi.MapPost(application, "dht", json.DhtPutBody, json.DhtStored, (body, stop) => network.DhtPutAsync(
            new DhtPut(body.Value ?? throw NodeApi.Bad("\"value\" is missing: base64 of at most 1000 bytes."), body.Name, body.Topic, Hours(body.Hours, 2)), stop));
        NodeApi.MapPost(application, "tags", json.TagBody, json.TagView, (body, stop) =>
            network.JoinTagAsync(Text(body.Name, "name"), body.KilobytesPerSecond ?? 4, body.Neighbours ?? 8, stop));
        NodeApi.MapPost(application, "tags/leave", json.TextBody, json.TextBody, async (body, stop) =>
        {
            await network.LeaveTagAsync(Text(body.Text, "text"), stop).ConfigureAwait(false);
            return body;
        });
        NodeApi.MapPost(application, "bundle", json.BundleBody, json.CountView, async (body, stop) => new CountView(
            await network.ImportPeersAsync(body.Bundle ?? throw NodeApi.Bad("\"bundle\" is missing: the file as base64."), stop).ConfigureAwait(false)));
    }

    private static string Text(string? text, string name) => text is { Length: > 0 } ? text : throw NodeApi.Bad($"\"{name}\" is missing.");

    private static TimeSpan Hours(double? hours, double fallback) => (hours ?? fallback) is > 0 and <= HoursMax and var good
        ? TimeSpan.FromHours(good) : throw NodeApi.Bad($"\"hours\" is a number above 0, at most {HoursMax}.");
}
