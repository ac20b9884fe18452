namespace ClaimCheck.Adapter.Http;

/// <summary>Who may call the adapter, checked.</summary>
/// <param name="ApiKeys">Names of callers, and their keys; without any, everyone may call, but only on loopback.</param>
/// <param name="BehindTls">A proxy in front of the adapter ends TLS.</param>
internal sealed record AccessRules(IReadOnlyDictionary<string, string> ApiKeys, bool BehindTls)
{
    public const int ShortestKey = 32;

    /// <summary>The addresses that the adapter may listen on with the keys that it has.</summary>
    public ListenAddresses Addresses => new(
        Who: "The adapter",
        HasKey: ApiKeys.Count > 0,
        IsBehindTls: BehindTls,
        KeySetting: $"Adapter:ApiKeys:<name> ({ShortestKey} characters or more)",
        TlsSetting: "Adapter:BehindTls");

    /// <summary>Only the number of callers: the rest is keys.</summary>
    public override string ToString() => $"{ApiKeys.Count} callers";
}
