using System.Text.Json;
using System.Text.Json.Serialization;
using Polder.Node.Operations;

namespace Polder.Host.Api;

/// <summary>Body of POST /api/parcels/send: paths of this machine.</summary>
internal sealed record ParcelSendBody(IReadOnlyList<string>? Paths, string? Code);

/// <summary>Body of POST /api/parcels/receive.</summary>
internal sealed record ParcelReceiveBody(string? Code, string? Folder);

/// <summary>Body of the routes about one parcel.</summary>
internal sealed record ParcelAimBody(string? Id, bool? Accept);

/// <summary>Body of POST /api/parcels/meet, /find and /dial: the rendezvous in hex, the word as base64.</summary>
internal sealed record ParcelMeetBody(string? Meeting, byte[]? Word, int? Port, string? Peer);

/// <summary>Answer of POST /api/parcels/dial.</summary>
internal sealed record PortView(int Port);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, WriteIndented = false, NumberHandling = JsonNumberHandling.Strict)]
[JsonSerializable(typeof(IReadOnlyList<ParcelView>))]
[JsonSerializable(typeof(IReadOnlyList<ParcelWord>))]
[JsonSerializable(typeof(IReadOnlyList<string>))]
[JsonSerializable(typeof(ParcelSendBody))]
[JsonSerializable(typeof(ParcelReceiveBody))]
[JsonSerializable(typeof(ParcelAimBody))]
[JsonSerializable(typeof(ParcelMeetBody))]
[JsonSerializable(typeof(PortView))]
[JsonSerializable(typeof(CountView))]
internal sealed partial class ParcelApiJson : JsonSerializerContext;

/// <summary>The routes of <see cref="IParcelOperations"/> (docs/api.md).</summary>
internal static class ParcelApi
{
    public static void Map(WebApplication application, Func<IParcelOperations> parcels)
    {
        var json = ParcelApiJson.Default;
        NodeApi.MapGet(application, "parcels", json.IReadOnlyListParcelView, (_, stop) => parcels().ListAsync(stop));
        NodeApi.MapGet(application, "parcels/words", json.IReadOnlyListString, (query, _) => Task.FromResult(parcels().Complete(NodeApi.Needed(query, "typed"))));
        NodeApi.MapPost(application, "parcels/send", json.ParcelSendBody, json.ParcelView, (body, stop) =>
            parcels().SendAsync(body.Paths ?? throw NodeApi.Bad("\"paths\" is missing: a list of files and folders."), body.Code, stop));
        NodeApi.MapPost(application, "parcels/receive", json.ParcelReceiveBody, json.ParcelView, (body, stop) => parcels().ReceiveAsync(Needed(body.Code, "code"), body.Folder, stop));
        NodeApi.MapPost(application, "parcels/answer", json.ParcelAimBody, json.ParcelView, (body, stop) =>
            parcels().AnswerAsync(Needed(body.Id, "id"), body.Accept ?? throw NodeApi.Bad("\"accept\" is missing: true or false."), stop));
        NodeApi.MapPost(application, "parcels/resume", json.ParcelAimBody, json.ParcelView, (body, stop) => parcels().ResumeAsync(Needed(body.Id, "id"), stop));
        NodeApi.MapPost(application, "parcels/stop", json.ParcelAimBody, json.ParcelView, (body, stop) => parcels().StopAsync(Needed(body.Id, "id"), stop));
        NodeApi.MapPost(application, "parcels/forget", json.ParcelAimBody, json.CountView, async (body, stop) =>
        {
            await parcels().ForgetAsync(Needed(body.Id, "id"), stop).ConfigureAwait(false);
            return new CountView(1);
        });
        NodeApi.MapPost(application, "parcels/meet", json.ParcelMeetBody, json.CountView, async (body, stop) =>
        {
            await parcels().MeetAsync(Meeting(body), body.Word, body.Port, stop).ConfigureAwait(false);
            return new CountView(1);
        });
        NodeApi.MapPost(application, "parcels/find", json.ParcelMeetBody, json.IReadOnlyListParcelWord, (body, stop) => parcels().FindAsync(Meeting(body), stop));
        NodeApi.MapPost(application, "parcels/dial", json.ParcelMeetBody, json.PortView, async (body, stop) =>
            new PortView(await parcels().DialAsync(Needed(body.Peer, "peer"), Meeting(body), stop).ConfigureAwait(false)));
    }

    private static byte[] Meeting(ParcelMeetBody body)
    {
        try { return Convert.FromHexString(Needed(body.Meeting, "meeting")); }
        catch (FormatException) { throw NodeApi.Bad("\"meeting\" is 20 bytes in hex."); }
    }

    private static string Needed(string? text, string name) => text is { Length: > 0 } ? text : throw NodeApi.Bad($"\"{name}\" is missing.");
}

/// <summary>The parcels of a running node, behind its local API.</summary>
internal sealed class ApiParcels(ApiNode node) : IParcelOperations
{
    private static ParcelApiJson Json => ParcelApiJson.Default;

    public Task<IReadOnlyList<ParcelView>> ListAsync(CancellationToken cancellation = default) => node.GetAsync("parcels", Json.IReadOnlyListParcelView, cancellation);
    public Task<ParcelView> SendAsync(IReadOnlyList<string> paths, string? code = null, CancellationToken cancellation = default) =>
        node.PostAsync("parcels/send", new ParcelSendBody(paths, code), Json.ParcelSendBody, Json.ParcelView, ApiNode.Long, cancellation);
    public Task<ParcelView> ReceiveAsync(string code, string? folder = null, CancellationToken cancellation = default) =>
        node.PostAsync("parcels/receive", new ParcelReceiveBody(code, folder), Json.ParcelReceiveBody, Json.ParcelView, ApiNode.Short, cancellation);
    public Task<ParcelView> AnswerAsync(string id, bool accept, CancellationToken cancellation = default) => AimAsync("answer", id, accept, cancellation);
    public Task<ParcelView> ResumeAsync(string id, CancellationToken cancellation = default) => AimAsync("resume", id, null, cancellation);
    public Task<ParcelView> StopAsync(string id, CancellationToken cancellation = default) => AimAsync("stop", id, null, cancellation);
    public Task ForgetAsync(string id, CancellationToken cancellation = default) =>
        node.PostAsync("parcels/forget", new ParcelAimBody(id, null), Json.ParcelAimBody, Json.CountView, ApiNode.Short, cancellation);
    public Task<string> UploadFolderAsync(CancellationToken cancellation = default) => throw new OperationRefusedException(RefusalKind.BadInput, "A program of this machine sends files where they lie.");
    public IReadOnlyList<string> Complete(string typed) => Apps.Parcels.Codes.CodeCompletion.Words(typed, 3);
    public Task MeetAsync(byte[] meeting, byte[]? word, int? port, CancellationToken cancellation = default) =>
        node.PostAsync("parcels/meet", new ParcelMeetBody(Convert.ToHexStringLower(meeting), word, port, null), Json.ParcelMeetBody, Json.CountView, ApiNode.Long, cancellation);
    public Task<IReadOnlyList<ParcelWord>> FindAsync(byte[] meeting, CancellationToken cancellation = default) =>
        node.PostAsync("parcels/find", new ParcelMeetBody(Convert.ToHexStringLower(meeting), null, null, null), Json.ParcelMeetBody, Json.IReadOnlyListParcelWord, ApiNode.Long, cancellation);
    public async Task<int> DialAsync(string peer, byte[] meeting, CancellationToken cancellation = default) =>
        (await node.PostAsync("parcels/dial", new ParcelMeetBody(Convert.ToHexStringLower(meeting), null, null, peer), Json.ParcelMeetBody, Json.PortView, ApiNode.Long, cancellation).ConfigureAwait(false)).Port;

    private Task<ParcelView> AimAsync(string what, string id, bool? accept, CancellationToken cancellation) =>
        node.PostAsync("parcels/" + what, new ParcelAimBody(id, accept), Json.ParcelAimBody, Json.ParcelView, ApiNode.Long, cancellation);
}
