using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace ClaimCheck.Service.Hosting;

/// <summary>The service's own addresses, without a trailing slash. Known once the server listens.</summary>
internal sealed class PublicAddress(IConfiguration configuration, IServer server)
{
    private const int Longest = 1000;

    /// <summary>What absolute links begin with: <c>ClaimCheck:PublicUrl</c>, or the first address that it listens on.</summary>
    public string Base { get; } = Checked(configuration["ClaimCheck:PublicUrl"]?.TrimEnd('/') ?? "");

    /// <summary>The address that reaches this very process, without TLS where it has one.</summary>
    public string Own => Listening(address => address.StartsWith("http://", StringComparison.Ordinal)) ?? Listening(_ => true)!;

    public string Url(string path) => (Base.Length > 0 ? Base : Listening(_ => true)) + path;

    private static string Checked(string address) => address.Length <= Longest
        ? address
        : throw new StartupException(
            $"ClaimCheck:PublicUrl has {address.Length} characters, but must have {Longest} at most: " +
            "events carry it, and no event may be larger than 8 KiB.");

    private string? Listening(Func<string, bool> matches)
    {
        var addresses = server.Features.Get<IServerAddressesFeature>()?.Addresses
            ?? throw new InvalidOperationException("The server does not listen yet.");
        return addresses.FirstOrDefault(matches)?
            .Replace("://[::]", "://localhost", StringComparison.Ordinal)
            .Replace("://0.0.0.0", "://localhost", StringComparison.Ordinal)
            .Replace("://+", "://localhost", StringComparison.Ordinal)
            .Replace("://*", "://localhost", StringComparison.Ordinal)
            .TrimEnd('/');
    }
}
