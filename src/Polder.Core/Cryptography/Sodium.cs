using System.Reflection;
using System.Runtime.InteropServices;

namespace Polder.Cryptography;

/// <summary>The functions we call in the system's libsodium (decision 0009). Everything else goes through the types beside it.</summary>
internal static unsafe partial class Sodium
{
    private const string Library = "libsodium";

    private static readonly string[] Names =
        OperatingSystem.IsWindows() ? ["libsodium.dll", "libsodium-26.dll", "libsodium-23.dll"]
        : OperatingSystem.IsMacOS() ? ["libsodium.dylib", "/opt/homebrew/lib/libsodium.dylib", "/usr/local/lib/libsodium.dylib"]
        : ["libsodium.so.23", "libsodium.so.26", "libsodium.so"];

    static Sodium()
    {
        NativeLibrary.SetDllImportResolver(typeof(Sodium).Assembly, Resolve);
        if (Init() < 0) throw new InvalidOperationException("libsodium could not start (sodium_init failed).");
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (name != Library) return 0;
        foreach (var candidate in Names)
            if (NativeLibrary.TryLoad(candidate, assembly, path, out var handle)) return handle;
        throw new SodiumMissingException();
    }

    [LibraryImport(Library, EntryPoint = "sodium_init")]
    private static partial int Init();

    [LibraryImport(Library, EntryPoint = "crypto_sign_seed_keypair")]
    internal static partial int SignSeedKeypair(byte* publicKey, byte* secretKey, byte* seed);

    [LibraryImport(Library, EntryPoint = "crypto_sign_detached")]
    internal static partial int SignDetached(byte* signature, nint length, byte* message, ulong messageLength, byte* secretKey);

    [LibraryImport(Library, EntryPoint = "crypto_sign_verify_detached")]
    internal static partial int SignVerifyDetached(byte* signature, byte* message, ulong messageLength, byte* publicKey);

    [LibraryImport(Library, EntryPoint = "crypto_core_ed25519_is_valid_point")]
    internal static partial int IsValidPoint(byte* point);

    [LibraryImport(Library, EntryPoint = "crypto_scalarmult_base")]
    internal static partial int ScalarmultBase(byte* publicKey, byte* secretKey);

    [LibraryImport(Library, EntryPoint = "crypto_scalarmult")]
    internal static partial int Scalarmult(byte* shared, byte* secretKey, byte* publicKey);

    [LibraryImport(Library, EntryPoint = "crypto_box_seal")]
    internal static partial int BoxSeal(byte* sealedMessage, byte* message, ulong messageLength, byte* publicKey);

    [LibraryImport(Library, EntryPoint = "crypto_box_seal_open")]
    internal static partial int BoxSealOpen(byte* message, byte* sealedMessage, ulong sealedLength, byte* publicKey, byte* secretKey);

    [LibraryImport(Library, EntryPoint = "crypto_secretbox_easy")]
    internal static partial int SecretboxEasy(byte* sealedMessage, byte* message, ulong messageLength, byte* nonce, byte* key);

    [LibraryImport(Library, EntryPoint = "crypto_secretbox_open_easy")]
    internal static partial int SecretboxOpenEasy(byte* message, byte* sealedMessage, ulong sealedLength, byte* nonce, byte* key);

    [LibraryImport(Library, EntryPoint = "crypto_pwhash")]
    internal static partial int Pwhash(
        byte* output, ulong outputLength, byte* passphrase, ulong passphraseLength, byte* salt, ulong operations, nuint memory, int algorithm);

    [LibraryImport(Library, EntryPoint = "crypto_aead_chacha20poly1305_ietf_encrypt")]
    internal static partial int ChaCha20Poly1305Encrypt(
        byte* box, ulong* boxLength, byte* text, ulong textLength, byte* associated, ulong associatedLength, byte* none, byte* nonce, byte* key);

    [LibraryImport(Library, EntryPoint = "crypto_aead_chacha20poly1305_ietf_decrypt")]
    internal static partial int ChaCha20Poly1305Decrypt(
        byte* text, ulong* textLength, byte* none, byte* box, ulong boxLength, byte* associated, ulong associatedLength, byte* nonce, byte* key);

    // Group operations of edwards25519 (Spake2). The "noclamp" forms take the scalar as it is.

    [LibraryImport(Library, EntryPoint = "crypto_core_ed25519_is_valid_point")]
    internal static partial int Ed25519IsValidPoint(byte* point);

    [LibraryImport(Library, EntryPoint = "crypto_core_ed25519_add")]
    internal static partial int Ed25519Add(byte* sum, byte* left, byte* right);

    [LibraryImport(Library, EntryPoint = "crypto_core_ed25519_sub")]
    internal static partial int Ed25519Sub(byte* difference, byte* left, byte* right);

    [LibraryImport(Library, EntryPoint = "crypto_core_ed25519_scalar_reduce")]
    internal static partial void Ed25519ScalarReduce(byte* scalar, byte* number64);

    [LibraryImport(Library, EntryPoint = "crypto_scalarmult_ed25519_noclamp")]
    internal static partial int ScalarmultEd25519NoClamp(byte* result, byte* scalar, byte* point);

    [LibraryImport(Library, EntryPoint = "crypto_scalarmult_ed25519_base_noclamp")]
    internal static partial int ScalarmultEd25519BaseNoClamp(byte* result, byte* scalar);
}
