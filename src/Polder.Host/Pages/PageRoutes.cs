namespace Polder.Host.Pages;

/// <summary>Where the pages join the web application. WebFace calls both; everything in this folder is the pages' own.</summary>
/// <remarks>
/// Services that a page may ask for: <c>INodeOperations</c> (this node) and <c>ILabFeed</c>. WebFace has already refused wrong
/// hosts, foreign origins and cross-site posts, adds the security headers, and serves wwwroot by MapStaticAssets.
/// </remarks>
internal static class PageRoutes
{
    /// <summary>Services of the pages. AddRazorComponents is already called.</summary>
    public static void AddPages(IServiceCollection services) => _ = services;

    /// <summary>Routes of the pages: MapRazorComponents, the stream of fragments, posts.</summary>
    public static void MapPages(WebApplication application) => application.MapGet("/", () => "The pages are on their way.");
}
